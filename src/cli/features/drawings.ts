import { basename } from "node:path";
import type { LayerFeatures } from "../../features/observe.js";
import type { Panel } from "./map-grid.js";
import { beside, gridPanel, pngOf, sheetPanel, svgOf } from "./panels.js";
import { sruPanel } from "./sru-panel.js";
import type { Scale } from "./tiles.js";

export interface DrawingOptions {
  readonly scale: Scale;
  /** The same layer of another model, to stand beside it. */
  readonly counterpart: (layer: LayerFeatures) => LayerFeatures | undefined;
  /** Names of the two models. */
  readonly titles: readonly [string, string];
}

/**
 * File names and contents, as SVG and PNG: a grid for each layer, what the SRU does for each unit, and a sheet of all layers
 * where there are several.
 */
export async function drawingsOf(
  layers: readonly LayerFeatures[],
  { scale, counterpart, titles }: DrawingOptions,
): Promise<Map<string, Uint8Array | string>> {
  const files = new Map<string, Uint8Array | string>();
  const draw = async (name: string, panel: Panel) => {
    const svg = svgOf(panel);
    files.set(`${name}.svg`, svg);
    files.set(`${name}.png`, await pngOf(svg));
  };
  const digits = `${layers.length}`.length;
  for (const [i, layer] of layers.entries()) {
    const name = `${`${i + 1}`.padStart(digits, "0")}-${fileName(layer.name)}`;
    const other = counterpart(layer);
    const grid = (l: LayerFeatures, model: string) =>
      gridPanel(l, { scale, title: other ? `${l.name} · ${basename(model)}` : l.name });
    const own = await grid(layer, titles[0]);
    await draw(name, other ? beside([own, await grid(other, titles[1])]) : own);
    const units = [
      [layer, titles[0]],
      [other, titles[1]],
    ] as const;
    const srus = await Promise.all(
      units.map(([l, model]) =>
        l?.sru && !("missing" in l.sru)
          ? sruPanel(l, l.sru, { scale, title: other ? `${l.name} · ${basename(model)}` : l.name })
          : undefined,
      ),
    );
    const found = srus.filter((p) => p !== undefined);
    if (found.length > 0) await draw(`${name}-sru`, beside(found));
  }
  if (layers.length > 1) {
    const sheet = await sheetPanel(layers, { scale, title: titles[0] });
    const others = layers.map(counterpart).filter((l) => l !== undefined);
    const panels =
      others.length > 0 ? [sheet, await sheetPanel(others, { scale, title: titles[1] })] : [sheet];
    await draw("sheet", beside(panels));
  }
  return files;
}

/** Names from models are data: only what every file system takes is left of them. */
const fileName = (name: string): string =>
  name
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .replace(/^[_.]+|[_.]+$/g, "")
    .slice(0, 80) || "layer";
