import { useEffect, useState } from "preact/hooks";
import { opened } from "../models/slots.js";
import { DropZone } from "../parts/drop-zone.js";
import { Failure, Note } from "../parts/message.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import { Answers } from "./answers.js";
import type { Scale } from "./draw-maps.js";
import { LayerSelect } from "./layer-select.js";
import {
  hang,
  image,
  layer,
  layers,
  looked,
  normalize,
  normalizeIsOwn,
  raw,
  showImage,
  size,
} from "./look.js";
import { MapGrid } from "./map-grid.js";

/** What a layer makes of an image. */
export function FeaturesView() {
  const [scale, setScale] = useState<Scale>("map");
  useEffect(() => void hang(), [opened.value]);
  const state = looked.value;
  return (
    <>
      <DropZone
        compact
        label={image.value ? "Another image: drop it here" : "Drop an image here: a JPEG, PNG or WebP"}
        button="Choose an image"
        accept="image/*"
        multiple={false}
        onFiles={([file]) => file && showImage(file)}
      />
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
        <label class="check" title="Without the normalisation and activation behind it">
          <input
            type="checkbox"
            checked={raw.value}
            onChange={(e) => {
              raw.value = e.currentTarget.checked;
            }}
          />
          convolution alone
        </label>
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
