import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { opsetOf } from "../../src/graph/ir.js";
import { readModel } from "../../src/host/node/models.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { readWeights } from "../../src/host/node/weights.js";
import { expectClose } from "../ops/close.js";
import { temporaryFolder, writeIdx, writeTiny } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string) => join(folder.path, name);
const fixture = (name: string) => fileURLToPath(new URL(`../weights/fixtures/${name}`, import.meta.url));
const json = async (...args: string[]) => {
  const { stdout, stderr, status } = await runCli([...args, "--json"]);
  expect({ stderr, status }).toEqual({
    stderr: expect.not.stringMatching(/^scconv: (?!warning)/m),
    status: 0,
  });
  return JSON.parse(stdout);
};
const unit = ["--conv", "scconv", "--gate", "hard"];

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(at("idx"));
  await writeIdx(at("idx"));
  const recipe = ["--epochs", "1", "--batch", "4", "--data", at("idx"), "--normalize", "0.5/0.5"];
  await json("train", "resnet8", ...unit, ...recipe, "--out", at("run"));
}, 180_000);
afterAll(() => folder.remove());

const images = Tensor.from(
  "float32",
  [2, 1, 8, 8],
  Array.from({ length: 128 }, (_, i) => Math.sin(i)),
);

async function logits(file: string): Promise<Tensor> {
  const { bytes } = await readModel(file);
  const session = await nodeEngine({ threads: 1 }).open(bytes);
  const result = await session.run(new Map([[session.inputs[0]!, images]]));
  await session.release();
  return result.get(session.outputs[0]!)!;
}

describe("export", () => {
  it("writes a run's best network in another operator set", async () => {
    const document = await json("export", at("run"), "-o", at("old.onnx"), "--opset", "11");
    expect(document).toMatchObject({ format: "onnx", opset: 11, output: at("old.onnx") });
    const { model } = await readModel(at("old.onnx"));
    expect(opsetOf(model.graph)).toBe(11);
    expect(model.irVersion).toBe(6);
    expect(model.metadata.get("scconv.normalize")).toBe("0.5/0.5");
    expect(model.graph.nodes.map((n) => n.op)).not.toContain("BatchNormalization");
    expectClose(await logits(at("old.onnx")), await logits(join(at("run"), "best.onnx")), 1e-5, "logits");
  });

  it("writes a run's weights, which make the same network again", async () => {
    const written = await json("export", at("run"), "-o", at("weights.safetensors"));
    const { tensors } = await readWeights(at("weights.safetensors"));
    expect(written).toMatchObject({ format: "safetensors", tensors: tensors.size });
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining([
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.conv2.sru.gn.weight",
        "linear.bias",
      ]),
    );
    const weights = ["--weights", at("weights.safetensors")];
    await json("export", "resnet8", ...unit, ...weights, "--size", "8", "-o", at("again.onnx"));
    expectClose(await logits(at("again.onnx")), await logits(join(at("run"), "best.onnx")), 1e-5, "logits");
  });

  it("writes an ONNX file anew", async () => {
    const tiny = await writeTiny(at("tiny.onnx"));
    await json("export", tiny, "-o", at("tiny11.onnx"), "--opset", "11", "--normalize", "cifar10");
    const { model } = await readModel(at("tiny11.onnx"));
    expect(model.metadata.get("scconv.normalize")).toBe("cifar10");
    expectClose(await logits(at("tiny11.onnx")), await logits(tiny), 1e-5, "logits");
    const again = await runCli(["export", tiny, "-o", at("tiny11.onnx")]);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/exists already.*--force/) });
  });

  it("train begins from weights, and says what of them does not fit", { timeout: 180_000 }, async () => {
    await json("export", at("run"), "-o", at("from.safetensors"));
    const train = (name: string, ...more: string[]) => [
      ...["train", "resnet8", ...unit, "--data", at("idx"), "--normalize", "0.5/0.5", "--batch", "4"],
      ...["--epochs", "1", "--lr", "1e-9", "--weights", at("from.safetensors"), "--out", at(name), ...more],
    ];
    await json(...train("tuned"));
    // The learning rate is next to nothing: what comes out is what went in, but for the running statistics.
    await json("export", at("tuned"), "-o", at("tuned.safetensors"));
    const [before, after] = await Promise.all(
      ["from", "tuned"].map(async (n) => (await readWeights(at(`${n}.safetensors`))).tensors),
    );
    for (const [name, tensor] of before!) {
      if (!name.includes("running")) expectClose(after!.get(name)!, tensor, 1e-4, name);
    }
    const wider = await runCli(train("wider", "--width", "2"));
    expect(wider.status).toBe(1);
    expect(wider.stderr).toMatch(
      /from\.safetensors: does not fit the network: \d+ of another shape \(conv1\.weight is 16×1×3×3, here 32×1×3×3/,
    );
    expect(existsSync(at("wider"))).toBe(false);
  });

  it("a file that would run code is refused by name, and runs nothing", async () => {
    const run = await runCli([
      "export",
      "resnet18",
      "--weights",
      fixture("code.pt"),
      "-o",
      at("evil.onnx"),
      "--json",
    ]);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('"posix.system" in the pickle would run code');
    expect(JSON.parse(run.stdout).error).toMatchObject({ code: "bad-input" });
    expect(existsSync("/tmp/scconv-was-here")).toBe(false);
    expect(await readdir(folder.path)).not.toContain("evil.onnx");
  });

  it.each<[string, string[], number, RegExp]>([
    ["no output", ["resnet8"], 2, /--out/],
    ["an output of another kind", ["resnet8", "-o", "x.pt"], 2, /need OUT\.onnx or OUT\.safetensors/],
    ["a set too old", ["resnet8", "-o", "x.onnx", "--opset", "9"], 2, /--opset.*need 11 to 26/],
    ["a set for weights", ["resnet8", "-o", "x.safetensors", "--opset", "17"], 2, /--opset is for OUT\.onnx/],
    ["an architecture without weights", ["resnet8", "-o", "x.onnx"], 2, /need --weights FILE/],
    ["nothing that is known", ["resnet9", "-o", "x.onnx"], 2, /no architecture is called "resnet9"/],
    [
      "a skip of no weights",
      ["resnet8", "-o", "x.onnx", "--weights-skip", "fc.*"],
      2,
      /need --weights FILE with it/,
    ],
    ["weights that are not there", ["resnet8", "-o", "x.onnx", "--weights", "none.pt"], 1, /none\.pt/],
    [
      "weights of another network",
      ["resnet20", "-o", "x.onnx", "--weights", fixture("tiny.pt")],
      1,
      /does not fit the network/,
    ],
    ["a model that is not there", ["none.onnx", "-o", "x.onnx"], 1, /none\.onnx: no such file/],
  ])("%s is refused", async (_, args, status, message) => {
    const run = await runCli(["export", ...args], { cwd: folder.path });
    expect(run.stderr).toMatch(message);
    expect(run.status).toBe(status);
  });

  it("flags of an architecture are refused for what is built already", async () => {
    const run = await runCli(["export", at("run"), "-o", at("x.onnx"), "--width", "2"]);
    expect(run).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/only an architecture.*got --width/),
    });
  });
});
