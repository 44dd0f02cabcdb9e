import { ScconvError } from "../../base/errors.js";
import type { Tensor } from "../../base/tensor.js";
import { fedInputs } from "../../graph/fed-inputs.js";
import { checkWritable, writeFileWhole } from "../../host/node/files.js";
import { readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { encodeSafetensors } from "../../runtime/safetensors.js";
import type { NamedTensors } from "../../runtime/session.js";
import { command } from "../command.js";
import { encodeNpy } from "../npy.js";
import { readFeeds } from "../read-feeds.js";
import { table } from "../table.js";
import { topOf } from "../top-classes.js";

interface Options {
  readonly input: readonly string[];
  readonly output?: string;
  readonly force?: boolean;
  readonly normalize?: string;
}

export default command<[string], Options>({
  configure: (c) =>
    c
      .argument("<model>", "an ONNX file")
      .requiredOption(
        "--input <file...>",
        ".npy, .safetensors (tensors by the inputs' names) or an image; NAME=FILE for one of several inputs",
      )
      .option("--output <file>", ".npy (the first output) or .safetensors (all of them)")
      .option("--force", "replace an existing output")
      .option(
        "--normalize <how>",
        "of an image: imagenet, cifar10, none or MEAN/STD (default: the model's own)",
      ),

  async run([file], { input, output, force, normalize }, context) {
    if (output !== undefined) {
      if (!/\.(npy|safetensors)$/i.test(output)) {
        throw new ScconvError("usage", "unknown kind of file", {
          where: output,
          need: ".npy or .safetensors",
        });
      }
      await checkWritable(output, { force });
    }
    const { threads, warn } = context;
    const { model, graph, runnable } = await readModel(file, context);
    const feeds = await readFeeds(input, { model, inputs: fedInputs(graph), where: file, normalize, warn });
    const session = await nodeEngine({ threads }).open(runnable);
    const results = await session.run(feeds);
    await session.release();
    if (output !== undefined) await writeFileWhole(output, encodeOutputs(results, output), { force });
    const outputs = [...results].map(([name, tensor]) => ({
      name,
      dtype: tensor.dtype,
      dims: tensor.dims,
      ...rangeOf(tensor),
      ...topOf(tensor),
    }));
    return {
      document: { outputs, ...(output === undefined ? {} : { output }) },
      text: () => outputs.map(describe).join("\n\n"),
    };
  },
});

function encodeOutputs(results: NamedTensors, path: string): Uint8Array {
  if (/\.safetensors$/i.test(path)) return encodeSafetensors(results);
  return encodeNpy([...results.values()][0]!);
}

function rangeOf(tensor: Tensor): { min: number; max: number; mean: number } {
  const values = tensor.numbers();
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    min = Math.min(min, v);
    max = Math.max(max, v);
    sum += v;
  }
  return { min, max, mean: sum / values.length };
}

type Described = { name: string; dtype: string; dims: readonly number[] } & ReturnType<typeof rangeOf> &
  ReturnType<typeof topOf>;

function describe({ name, dtype, dims, min, max, mean, top }: Described): string {
  const figures = [min, max, mean].map((v) => v.toPrecision(5));
  const head = `${name}: ${dtype}[${dims.join("×")}]  min ${figures[0]}  max ${figures[1]}  mean ${figures[2]}`;
  if (!top) return head;
  const columns = ["row", "class", "value"].map((title) => ({ title, align: "right" as const }));
  const rows = top.flatMap((row, i) => row.map((c) => [`${i}`, `${c.class}`, c.value.toPrecision(5)]));
  return `${head}\n${table(columns, rows)}`;
}
