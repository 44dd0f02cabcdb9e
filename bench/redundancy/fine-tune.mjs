// The control of docs/features.md: the standard network itself, fine-tuned as `scconv slim` fine-tunes a slimmed one, with the
// same recipe, loss, data and seed, and nothing swapped. node bench/redundancy/fine-tune.mjs '{"model", "data", "out", …}'
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataFor } from "../../dist/cli/data-for.js";
import { progressOn } from "../../dist/cli/progress.js";
import { writeModel } from "../../dist/host/node/models.js";
import { folderStore } from "../../dist/host/node/run-store.js";
import { deploy, modelOf, nodeEngine, prepare, readModel, swap } from "../../dist/node.js";
import { distillation } from "../../dist/surgery/distill.js";
import { slimRecipe } from "../../dist/surgery/slim-settings.js";
import { classifierOf } from "../../dist/train/classifier.js";
import { imageMetadata, normalizeFor } from "../../dist/train/model-images.js";
import { trainNetwork } from "../../dist/train/train-network.js";

const {
  model,
  data: source,
  out,
  normalize: how,
  layers,
  epochs,
  threads,
  seed,
  limit,
} = JSON.parse(process.argv[2]);

const read = await readModel(model);
const original = prepare(read.graph);
const classifier = classifierOf(read.graph, model);
const normalize = normalizeFor(read.model, how, { where: model, warn: console.warn });
const progress = progressOn(process.stderr, { bars: false });
const data = await dataFor(classifier, { data: source, limit }, progress);
const recipe = { ...slimRecipe, epochs };
const network = { ...original, outputs: classifier.graph.outputs };
// Its features are compared with the original's in the places where a slimmed network's are.
const places = swap(original, { layers, seed }).units.map((u) => ({ ...u, output: u.target.output }));
const folder = await mkdtemp(join(tmpdir(), "scconv-"));
try {
  const trained = await trainNetwork(
    nodeEngine({ threads }),
    data,
    {
      ...{ student: network, teacher: network, recipe, normalize, store: folderStore(folder) },
      objective: distillation(network, network, places, {
        ...{ labelSmoothing: recipe.labelSmoothing, temperature: 4, distillWeight: 0.9, hintWeight: 20 },
      }),
    },
    { threads, seed, progress, signal: new AbortController().signal },
  );
  await writeModel(out, modelOf(deploy(trained.graph, []), read.model, imageMetadata({ normalize })));
} finally {
  await data.close();
  await rm(folder, { recursive: true, force: true });
}
