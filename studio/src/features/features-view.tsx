import { useEffect, useState } from "preact/hooks";
import { opened } from "../models/slots.js";
import { Failure, Note } from "../parts/message.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import { Answers } from "./answers.js";
import { ConvolutionAlone } from "./convolution-alone.js";
import type { Scale } from "./draw-maps.js";
import { ImageDrop } from "./image-drop.js";
import { LayerSelect } from "./layer-select.js";
import { hang, layer, layers, looked, normalize, normalizeIsOwn, size } from "./look.js";
import { MapGrid } from "./map-grid.js";

/** What a layer makes of an image. */
export function FeaturesView() {
  const [scale, setScale] = useState<Scale>("map");
  useEffect(() => void hang(), [opened.value]);
  const state = looked.value;
  return (
    <>
      <ImageDrop />
      <div class="toolbar">
        <LayerSelect
          layers={layers.value}
          value={layer.value}
          onValue={(name) => {
            layer.value = name;
          }}
        />
        <NormalizeSelect
          value={normalize.value}
          own={normalizeIsOwn.value}
          onValue={(name) => {
            normalize.value = name;
            normalizeIsOwn.value = false;
          }}
        />
        {opened.value?.summary.open && (
          <label class="inline">
            Height and width
            <input
              class="number"
              type="number"
              min={1}
              max={4096}
              value={size.value}
              onChange={(e) => {
                if (e.currentTarget.valueAsNumber >= 1) size.value = e.currentTarget.valueAsNumber;
              }}
            />
          </label>
        )}
        <label class="inline">
          Grey
          <select value={scale} onChange={(e) => setScale(e.currentTarget.value as Scale)}>
            <option value="map">each map by itself</option>
            <option value="common">all by one range</option>
          </select>
        </label>
        <ConvolutionAlone />
      </div>
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "looking" && <p aria-busy="true">Running the model …</p>}
      {state.kind === "nothing" && (
        <Note>
          {layers.value.length === 0
            ? "Opening the model …"
            : "Every layer's maps of that image, and how alike they are."}
        </Note>
      )}
      {state.kind === "seen" && (
        <>
          <Answers answers={state.maps.answers} />
          <MapGrid maps={state.maps} scale={scale} />
        </>
      )}
    </>
  );
}
