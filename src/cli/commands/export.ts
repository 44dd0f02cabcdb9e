import { printable, ScconvError } from "../../base/errors.js";
import { formatBytes, formatCount } from "../../base/format.js";
import { parseNormalize } from "../../data/normalize.js";
import { opsetOf } from "../../graph/ir.js";
import { irVersionFor, modelOf } from "../../graph/model.js";
import { checkWritable, writeFileWhole } from "../../host/node/files.js";
import { writeModel } from "../../host/node/models.js";
import { NEWEST_EXPORT, OLDEST_EXPORT, withOpset } from "../../ops/with-opset.js";
import { encodeSafetensors } from "../../runtime/safetensors.js";
import { imageMetadata } from "../../train/model-images.js";
import { trainableParts } from "../../train/parts.js";
import { command } from "../command.js";
import { exportSource, type SourceFlags } from "../export-source.js";
import { whole } from "../flags.js";
import { networkFlags } from "../network-flags.js";
import { deployed } from "../train-run.js";
import { weightsFlags } from "../weights.js";

interface Options extends SourceFlags {
  readonly out: string;
  readonly opset?: number;
  readonly normalize?: string;
  readonly force?: boolean;
}

export default command<[string], Options>({
  configure(c) {
    c.argument(
      "<source>",
      "a run's folder (its best checkpoint), an ONNX file, or an architecture with --weights",
    )
      .requiredOption("-o, --out <file>", "OUT.onnx for inference, or OUT.safetensors for PyTorch")
      .option(
        "--opset <n>",
        `operator set of OUT.onnx, ${OLDEST_EXPORT} to ${NEWEST_EXPORT} (default: 18, or that of a newer ONNX file)`,
        opset,
      )
      .option("--normalize <how>", "how the images are to be normalised: is written into OUT.onnx")
      .option("--classes <n>", "of an architecture (default: those of the weights)", whole("--classes"))
      .option(
        "--size <n>",
        "height and width of an architecture's images (default: its own)",
        whole("--size"),
      )
      .option("--force", "replace an existing output");
    weightsFlags(networkFlags(c));
  },

  async run([name], { out, opset, normalize, force, ...flags }) {
    const kind = kindOf(out, { opset, normalize });
    await checkWritable(out, { force });
    const source = await exportSource(name, flags);
    const { parameters, statistics } = trainableParts(source.graph);
    const count = [...parameters.values()].reduce((sum, t) => sum + t.size, 0);
    if (kind === "safetensors") {
      const bytes = encodeSafetensors(new Map([...parameters, ...statistics]));
      await writeFileWhole(out, bytes, { force });
      const tensors = parameters.size + statistics.size;
      const document = { output: out, format: kind, bytes: bytes.byteLength, tensors, parameters: count };
      return {
        document,
        text: () =>
          `${printable(out)}: ${tensors} tensors, ${formatCount(count)} parameters, ${formatBytes(bytes.byteLength)}`,
      };
    }
    const inference = deployed(source.graph, source.units);
    const graph = opset === undefined ? inference : withOpset(inference, opset);
    const metadata =
      normalize === undefined ? undefined : imageMetadata({ normalize: parseNormalize(normalize) });
    const model = modelOf(graph, source.like, metadata);
    // A reader of an old operator set knows no newer file format than came with it.
    const bytes = await writeModel(out, { ...model, irVersion: irVersionFor(opsetOf(graph)) }, { force });
    const nodes = graph.nodes.length;
    const document = { output: out, format: kind, bytes, opset: opsetOf(graph), nodes, parameters: count };
    return {
      document,
      text: () =>
        `${printable(out)}: ${nodes} nodes of operator set ${document.opset}, ${formatCount(count)} parameters, ${formatBytes(bytes)}`,
    };
  },
});

function opset(text: string): number {
  const n = whole("--opset")(text);
  if (n >= OLDEST_EXPORT && n <= NEWEST_EXPORT) return n;
  throw new ScconvError("usage", "not a possible value", {
    ...{ where: "--opset", got: `"${text}"`, need: `${OLDEST_EXPORT} to ${NEWEST_EXPORT}` },
  });
}

function kindOf(out: string, onnxOnly: { readonly [flag: string]: unknown }): "onnx" | "safetensors" {
  if (out.endsWith(".onnx")) return "onnx";
  if (!out.endsWith(".safetensors")) {
    throw new ScconvError("usage", "the output's ending says what it is", {
      where: "--out",
      got: `"${out}"`,
      need: "OUT.onnx or OUT.safetensors",
    });
  }
  const flag = Object.entries(onnxOnly).find(([, v]) => v !== undefined)?.[0];
  if (flag === undefined) return "safetensors";
  throw new ScconvError("usage", `--${flag} is for OUT.onnx`, { where: "--out", got: `"${out}"` });
}
