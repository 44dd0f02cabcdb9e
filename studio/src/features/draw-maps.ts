import type { LayerMaps } from "../worker/protocol.js";

/** Each map over its own range, or all over the layer's. */
export type Scale = "map" | "common";

export type Range = readonly [low: number, high: number];

export interface DrawOptions {
  readonly scale: Scale;
  /** Of the common scale; default: the layer's own. */
  readonly range?: Range | undefined;
  /** Of the room that there is, in CSS pixels. */
  readonly width: number;
  readonly ink: string;
  readonly paper: string;
}

const GAP = 8;
const LABEL = 16;
/** Okabe & Ito's colours, told apart by all kinds of sight; each pair has a letter besides. */
export const pairColours = [
  "#d55e00",
  "#0072b2",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#7a5195",
  "#8c6d1f",
];
export const pairLetters = "ABCDEFGH";

/** Draws all maps of a layer in rows: numbered, dead ones crossed out, the most alike pairs framed. */
export function drawMaps(canvas: HTMLCanvasElement, maps: LayerMaps, options: DrawOptions): void {
  const { width, ink, paper, scale, range } = options;
  const side = width < 500 ? 56 : 72;
  const longest = Math.max(maps.height, maps.width);
  const tile = { width: (maps.width / longest) * side, height: (maps.height / longest) * side };
  const columns = Math.max(1, Math.min(maps.maps, Math.floor((width + GAP) / (tile.width + GAP))));
  const rows = Math.ceil(maps.maps / columns);
  const drawn = {
    width: columns * (tile.width + GAP) - GAP + 4,
    height: rows * (tile.height + GAP + LABEL) + 4,
  };
  // Canvases have a largest size; very wide layers are drawn at one pixel a CSS pixel.
  const dense = drawn.height * devicePixelRatio > 16_000 ? 1 : devicePixelRatio;
  canvas.width = Math.ceil(drawn.width * dense);
  canvas.height = Math.ceil(drawn.height * dense);
  canvas.style.inlineSize = `${drawn.width}px`;
  const context = canvas.getContext("2d")!;
  context.scale(dense, dense);
  context.fillStyle = paper;
  context.fillRect(0, 0, drawn.width, drawn.height);
  context.imageSmoothingEnabled = longest > side;
  const pairOf = new Map(maps.redundancy.mostAlike.flatMap((p, k) => p.maps.map((m) => [m, k] as const)));
  const dead = new Set(maps.redundancy.deadMaps);
  const common = scale === "common" ? (range ?? rangeOf(maps.values)) : undefined;
  const grey = new OffscreenCanvas(maps.width, maps.height);
  for (let m = 0; m < maps.maps; m++) {
    const x = 2 + (m % columns) * (tile.width + GAP);
    const y = 2 + Math.floor(m / columns) * (tile.height + GAP + LABEL);
    paint(grey, maps, m, common);
    context.drawImage(grey, x, y, tile.width, tile.height);
    const pair = pairOf.get(m);
    const colour = pair === undefined ? ink : pairColours[pair]!;
    context.strokeStyle = colour;
    context.globalAlpha = pair === undefined ? 0.25 : 1;
    context.lineWidth = pair === undefined ? 1 : 3;
    context.strokeRect(x, y, tile.width, tile.height);
    context.globalAlpha = 1;
    if (dead.has(m)) cross(context, x, y, tile);
    context.fillStyle = ink;
    context.font = `${pair === undefined ? "" : "bold "}11px system-ui, sans-serif`;
    context.fillText(
      pair === undefined ? (dead.has(m) ? `${m} dead` : `${m}`) : `${m} ${pairLetters[pair]}`,
      x,
      y + tile.height + 13,
    );
  }
}

function paint(
  grey: OffscreenCanvas,
  { values, height, width }: LayerMaps,
  map: number,
  common: Range | undefined,
): void {
  const own = values.subarray(map * height * width, (map + 1) * height * width);
  const [low, high] = common ?? rangeOf(own);
  const slope = high > low ? 255 / (high - low) : 0;
  const picture = new ImageData(width, height);
  const shades = new Uint32Array(picture.data.buffer);
  own.forEach((v, p) => {
    const shade = Math.round((v - low) * slope);
    shades[p] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
  });
  grey.getContext("2d")!.putImageData(picture, 0, 0);
}

function cross(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  { width, height }: { width: number; height: number },
): void {
  context.strokeStyle = pairColours[0]!;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + width, y + height);
  context.moveTo(x + width, y);
  context.lineTo(x, y + height);
  context.stroke();
}

export function rangeOf(values: Float32Array): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}
