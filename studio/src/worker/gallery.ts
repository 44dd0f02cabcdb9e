import { transfer } from "comlink";
import { featureLayers, observeFeatures, parseNormalize, ScconvError, type Tensor } from "scconv";
import { type OpenedModel, openModelFile, type WebEngine, webEngine } from "scconv/web";
import { imageFor, imagePlaceOf } from "./image-place.js";
import type { Gallery, LayerMaps } from "./protocol.js";

interface Hung {
  readonly name: string;
  readonly opened: OpenedModel;
  readonly engine: WebEngine;
}

/** Runs a model on an image and gives the maps of one layer. */
export function gallery(): Gallery {
  let hung: Hung | undefined;
  return {
    async hang(files, threads) {
      const opened = await openModelFile(files.model, { external: files.external });
      const engine = await webEngine({ threads });
      const name = files.model.name;
      const place = imagePlaceOf(opened, name);
      hung = { name, opened, engine };
      const layers = featureLayers(opened.graph, { layers: "*", where: name });
      return { layers: layers.map(({ name, op }) => ({ name, op })), normalize: place.normalize };
    },
    async look({ image, layer, normalize, size, raw }): Promise<LayerMaps> {
      if (!hung) throw new ScconvError("usage", "no model is open");
      const { name, opened, engine } = hung;
      const place = imagePlaceOf(opened, name, size);
      const feeds = new Map([[place.input, await imageFor(place, image, parseNormalize(normalize))]]);
      const chosen = featureLayers(opened.graph, { layers: layer, raw, where: name });
      const [maps] = await observeFeatures(engine, opened.graph, chosen.slice(0, 1), [feeds], {
        where: name,
      });
      const { first, redundancy, op, through } = maps!;
      const values = Float32Array.from(first.values);
      const found: LayerMaps = {
        ...{ name: maps!.name, op, through, redundancy, values },
        ...{ maps: first.maps, height: first.height, width: first.width },
        ...answersOf(await scoresOf(engine, opened, feeds)),
      };
      return transfer(found, [values.buffer]);
    },
  };
}

const MOST = 5;

/** Of a classifier. */
async function scoresOf(
  engine: WebEngine,
  { runnable, graph }: OpenedModel,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  const session = await engine.open(runnable);
  try {
    const results = await session.run(feeds);
    const scores = results.get(graph.outputs[0]!.name);
    return scores?.dims.length === 2 ? Float32Array.from(scores.numbers()) : undefined;
  } finally {
    await session.release();
  }
}

/** The largest, and all. */
function answersOf(scores: LayerMaps["scores"]): Pick<LayerMaps, "answers" | "scores"> {
  const answers = Array.from(scores ?? [], (score, index) => ({ index, score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST);
  return { answers, scores };
}
