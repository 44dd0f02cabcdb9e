import { useEffect } from "preact/hooks";
import { Answers } from "../features/answers.js";
import { ConvolutionAlone } from "../features/convolution-alone.js";
import type { Scale } from "../features/draw-maps.js";
import { ImageDrop } from "../features/image-drop.js";
import { LayerSelect } from "../features/layer-select.js";
import { MapGrid } from "../features/map-grid.js";
import { Failure, Note } from "../parts/message.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import type { LayerMaps } from "../worker/protocol.js";
import { agreementOf } from "./agreement.js";
import {
  asked,
  inSight,
  layer,
  normalize,
  ownNormalize,
  pictures,
  rangeOfBoth,
  scale,
  shared,
} from "./pictures.js";

/** What the same layer of both makes of one image, and what both answer. */
export function ComparePictures() {
  useEffect(() => {
    inSight.value = true;
    return () => {
      inSight.value = false;
    };
  }, []);
  const state = pictures.value;
  const layers = shared();
  if (layers.length === 0) return <Note>No layer with feature maps is in both.</Note>;
  return (
    <>
      <ImageDrop />
      <div class="toolbar">
        <LayerSelect
          layers={layers}
          value={asked.value?.name}
          onValue={(name) => {
            layer.value = name;
          }}
        />
        <NormalizeSelect
          value={normalize.value ?? ownNormalize.value ?? "none"}
          own={normalize.value === undefined && ownNormalize.value !== undefined}
          onValue={(name) => {
            normalize.value = name;
          }}
        />
        <label class="inline">
          Grey
          <select
            value={scale.value}
            onChange={(e) => {
              scale.value = e.currentTarget.value as Scale;
            }}
          >
            <option value="common">both by one range</option>
            <option value="map">each map by itself</option>
          </select>
        </label>
        <ConvolutionAlone />
      </div>
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "looking" && <p aria-busy="true">Running both models …</p>}
      {state.kind === "seen" && <Both maps={state.maps} scale={scale.value} />}
    </>
  );
}

function Both({ maps, scale }: { readonly maps: readonly [LayerMaps, LayerMaps]; readonly scale: Scale }) {
  const range = rangeOfBoth(maps);
  const agreement = agreementOf(maps[0].scores, maps[1].scores);
  return (
    <>
      {agreement && <p role="status">{agreement}</p>}
      <div class="two">
        {maps.map((m, i) => (
          <section key={i} aria-label={i === 0 ? "The first" : "The second"}>
            <p class="side">{i === 0 ? "first" : "second"}</p>
            <Answers answers={m.answers} />
            <MapGrid maps={m} scale={scale} range={range} />
          </section>
        ))}
      </div>
    </>
  );
}
