import { afterEach, describe, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { type ScconvSettings, scconvDefaults } from "../../src/nn/scconv.js";
import { type ConvUnitName, convUnit, convUnitNames, type UnitSettings } from "../../src/nn/units.js";
import { NEWEST_EXPORT, OLDEST_EXPORT, withOpset } from "../../src/ops/with-opset.js";
import { deploy, findUnits } from "../../src/optimise/index.js";
import { architecture } from "../../src/zoo/index.js";
import { expectClose } from "../ops/close.js";

const engine = nodeEngine({ threads: 1 });
const sessions: { release(): Promise<void> }[] = [];
afterEach(() => Promise.all(sessions.splice(0).map((s) => s.release())));

const random = new Random(5, 1);
const x = Tensor.from(
  "float32",
  [2, 3, 16, 16],
  Array.from({ length: 2 * 3 * 16 * 16 }, () => random.normal()),
);

async function logits(graph: Graph): Promise<Tensor> {
  const session = await engine.open(encodeModel(modelOf(graph)));
  sessions.push(session);
  return (await session.run(new Map([["input", x]]))).get("logits")!;
}

/** As `scconv export` writes it. */
function inferenceForm(name: string, conv: ConvUnitName, settings: UnitSettings): Graph {
  const graph = architecture(name)({ unit: convUnit(conv, settings), size: 16, classes: 5, where: "all" });
  const units = conv === "scconv" ? findUnits(graph, { ...scconvDefaults, ...settings }) : [];
  return deploy(graph, units);
}

const everySet = Array.from({ length: NEWEST_EXPORT - OLDEST_EXPORT + 1 }, (_, i) => OLDEST_EXPORT + i);
/** Between these no operator of ours changes its form. */
const changes = [11, 12, 13, 17, 18, 21, 26];

const scconvs: Partial<ScconvSettings>[] = [
  ...(["straight-through", "hard", "soft"] as const).flatMap((gate) =>
    (["element", "channel"] as const).map((scope) => ({ gate, scope })),
  ),
  ...(["cs", "s", "c"] as const).map((order) => ({ order })),
  { gate: "soft", fuse: "all" },
];

describe("the inference form computes the same in every operator set", () => {
  it("of ResNet-20, in all of them", { timeout: 120_000 }, async () => {
    const graph = inferenceForm("resnet20", "standard", {});
    const want = await logits(graph);
    for (const to of everySet) expectClose(await logits(withOpset(graph, to)), want, 1e-5, `set ${to}`);
  });

  it.each(scconvs.map((s) => [Object.values(s).join(", "), s] as const))(
    "of ResNet-20 with SCConv: %s",
    { timeout: 120_000 },
    async (_, settings) => {
      const graph = inferenceForm("resnet20", "scconv", settings);
      const want = await logits(graph);
      for (const to of changes) expectClose(await logits(withOpset(graph, to)), want, 1e-5, `set ${to}`);
    },
  );

  it.each(convUnitNames.filter((n) => n !== "standard" && n !== "scconv"))(
    "of ResNet-20 with %s",
    { timeout: 120_000 },
    async (conv) => {
      const graph = inferenceForm("resnet20", conv, {});
      const want = await logits(graph);
      for (const to of changes) expectClose(await logits(withOpset(graph, to)), want, 1e-5, `set ${to}`);
    },
  );

  it("of SCConv in parallel order", { timeout: 120_000 }, async () => {
    const graph = deploy(
      architecture("resnet20")({ unit: convUnit("scconv", { order: "parallel" }), size: 16, classes: 5 }),
    );
    const want = await logits(graph);
    for (const to of changes) expectClose(await logits(withOpset(graph, to)), want, 1e-5, `set ${to}`);
  });
});
