import { decodeNpy } from "../dist/cli/npy.js";
import { decodeModel, encodeModel } from "../dist/graph/codec.js";
import { verify } from "../dist/graph/verify.js";
import { randomFeeds } from "../dist/host/node/model-inputs.js";
import { nodeEngine } from "../dist/host/node/ort.js";
import { scconvDefaults } from "../dist/nn/scconv.js";
import { costOf } from "../dist/ops/cost.js";
import { operators } from "../dist/ops/index.js";
import { lower } from "../dist/ops/lower.js";
import { upgrade } from "../dist/ops/upgrade.js";
import { decodeSafetensors } from "../dist/runtime/safetensors.js";
import { matchConvolutions } from "../dist/surgery/match.js";
import { prepare } from "../dist/surgery/prepare.js";
import { swap } from "../dist/surgery/swap.js";

/** Everything that is done with a file of each kind. A ScconvError is an answer; anything else that is thrown is a find. */
export const targets = {
  async onnx(bytes, { engine }) {
    const model = decodeModel(bytes);
    verify(upgrade(model.graph), operators);
    const again = encodeModel(model);
    if (Buffer.compare(encodeModel(decodeModel(again)), again) !== 0)
      throw new Error("a second round trip changes the file");
    const graph = prepare(model.graph);
    verify(graph, operators);
    costOf(graph);
    const found = matchConvolutions(graph, scconvDefaults).filter((c) => c.swappable);
    if (found.length > 0 && graph.initializers.size < 50)
      encodeModel({ ...model, graph: lower(swap(graph, { layers: "all", seed: 0 }).graph) });
    if (engine) await run(bytes, model.graph);
    return `${graph.nodes.length} nodes`;
  },
  async safetensors(bytes) {
    return `${decodeSafetensors(bytes, "fuzz").tensors.size} tensors`;
  },
  async npy(bytes) {
    return `rank ${decodeNpy(bytes, "fuzz").dims.length}`;
  },
};

/** What our checks let pass must not bring the engine down. */
async function run(bytes, graph) {
  // Random numbers for more would take longer than all the rest.
  const elements = graph.inputs.map((i) =>
    (i.type?.shape ?? []).reduce((n, d) => n * (typeof d === "number" ? d : 8), 1),
  );
  if (elements.some((n) => n > 1 << 20)) return;
  const feeds = randomFeeds(graph, { batch: 1, size: 8, where: "fuzz" }, 0);
  const session = await nodeEngine({ threads: 1 }).open(bytes);
  try {
    await session.run(feeds);
  } finally {
    await session.release();
  }
}
