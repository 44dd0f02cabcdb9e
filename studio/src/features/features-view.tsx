import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { dark } from "../app/theme.js";
import { opened } from "../models/slots.js";
import { DropZone } from "../parts/drop-zone.js";
import { Failure, Note } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import type { LayerMaps } from "../worker/protocol.js";
import { drawMaps, pairLetters, type Scale } from "./draw-maps.js";
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
        <LayerSelect />
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
      {state.kind === "seen" && <Grid maps={state.maps} scale={scale} />}
    </>
  );
}

function LayerSelect() {
  const main = layers.value.filter((l) => l.op === "Conv" || l.op === "SCConv");
  const others = layers.value.filter((l) => !main.includes(l));
  const options = (of: typeof main) =>
    of.map((l, i) => (
      <option key={i} value={l.name}>
        {l.name.slice(0, 120)}
        {l.op === "Conv" ? "" : ` (${l.op})`}
      </option>
    ));
  return (
    <label class="inline grow">
      Layer
      <select
        disabled={layers.value.length === 0}
        value={layer.value ?? ""}
        onChange={(e) => {
          layer.value = e.currentTarget.value;
        }}
      >
        <optgroup label="Convolutions and units">{options(main)}</optgroup>
        {others.length > 0 && <optgroup label="Other nodes">{options(others)}</optgroup>}
      </select>
    </label>
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function Grid({ maps, scale }: { readonly maps: LayerMaps; readonly scale: Scale }) {
  const frame = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (width === 0) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    drawMaps(canvas.current!, maps, {
      ...{ scale, width, ink: colour("--pico-color"), paper: colour("--pico-background-color") },
    });
  }, [maps, scale, width, dark.value]);
  const { redundancy: r, answers } = maps;
  const caption = [
    `${maps.maps} maps of ${maps.height}×${maps.width}`,
    `${r.dead} dead`,
    `effective rank ${r.effectiveRank.toFixed(1)}`,
    `redundancy ${percent(r.redundancy)}`,
    r.similarity.median === undefined ? "no pairs" : `similarity ${r.similarity.median.toFixed(2)} (median)`,
  ].join(" · ");
  return (
    <>
      {answers.length > 0 && (
        <p class="facts">
          {answers.map(({ index, score }) => (
            <span key={index}>
              class {index}: <strong>{score.toFixed(5)}</strong>
            </span>
          ))}
        </p>
      )}
      <figure class="maps" ref={frame}>
        <figcaption>
          <Name>{maps.name}</Name> <small>{[maps.op, ...maps.through].join(" → ")}</small>
          <br />
          {caption}
        </figcaption>
        <canvas ref={canvas} role="img" aria-label={`Feature maps of ${maps.name}: ${caption}`} />
      </figure>
      <Note>
        {r.mostAlike.length === 0
          ? "No two maps are alike (cosine of the centred maps from 0.9)."
          : `Most alike (cosine of the centred maps): ${r.mostAlike.map((p, k) => `${pairLetters[k]}: ${p.maps.join(" ~ ")} (${p.similarity.toFixed(3)})`).join(" · ")}`}
      </Note>
    </>
  );
}
