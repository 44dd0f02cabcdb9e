import { useEffect, useState } from "preact/hooks";
import { Answers } from "../features/answers.js";
import { ConvolutionAlone } from "../features/convolution-alone.js";
import { rangeOf, type Scale } from "../features/draw-maps.js";
import { ImageDrop } from "../features/image-drop.js";
import { LayerSelect } from "../features/layer-select.js";
import { MapGrid } from "../features/map-grid.js";
import { Failure, Note } from "../parts/message.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import type { LayerMaps } from "../worker/protocol.js";
import { agreementOf } from "./agreement.js";
import { asked, inSight, layer, normalize, ownNormalize, pictures, shared } from "./pictures.js";

/** What the same layer of both makes of one image, and what both answer. */
export function ComparePictures() {
  const [scale, setScale] = useState<Scale>("common");
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
          <select value={scale} onChange={(e) => setScale(e.currentTarget.value as Scale)}>
            <option value="common">both by one range</option>
            <option value="map">each map by itself</option>
          </select>
        </label>
        <ConvolutionAlone />
      </div>
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "looking" && <p aria-busy="true">Running both models …</p>}
      {state.kind === "seen" && <Both maps={state.maps} scale={scale} />}
    </>
  );
}

function Both({ maps, scale }: { readonly maps: readonly [LayerMaps, LayerMaps]; readonly scale: Scale }) {
  const ranges = maps.map((m) => rangeOf(m.values));
  const range = [
    Math.min(...ranges.map(([low]) => low)),
    Math.max(...ranges.map(([, high]) => high)),
  ] as const;
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
