import { ScconvError } from "../../base/errors.js";
import { Tensor } from "../../base/tensor.js";
import type { DataSet, Normalize } from "../../data/data-set.js";
import { fedInputs } from "../../graph/fed-inputs.js";
import type { Model, ValueInfo } from "../../graph/ir.js";
import type { ReadModel } from "../../host/node/models.js";
import type { NamedTensors } from "../../runtime/session.js";
import { cropFor, normalizeFor } from "../../train/model-images.js";
import type { CommandContext } from "../command.js";
import { dataFor } from "../data-for.js";
import { readFeeds } from "../read-feeds.js";
import { givesImages, type ImageFlags, USUAL_IMAGES } from "./image-flags.js";

/** Images as a model's feeds, one batch after the other. */
export interface ImageFeeds {
  readonly count: number;
  readonly feeds: Iterable<NamedTensors> | AsyncIterable<NamedTensors>;
  close(): Promise<void>;
}

/** Pixels of the images of a batch: all layers' maps of them are held at once. */
const PIXELS = 16 * 64 * 64;

/** Throws `usage` where no images are given, `bad-input` where there are none or they do not fit. */
export async function imageFeeds(
  { model, graph }: ReadModel,
  flags: ImageFlags,
  where: string,
  { warn, progress }: Pick<CommandContext, "warn" | "progress">,
): Promise<ImageFeeds> {
  const said = new Set<string>();
  const options = {
    ...{ model, inputs: fedInputs(graph), where, normalize: flags.normalize },
    // Of each model once, not of each image.
    warn: (text: string) => {
      if (!said.has(text)) warn(text);
      said.add(text);
    },
  };
  if (flags.data !== undefined) return dataSetFeeds({ ...flags, data: flags.data }, options, progress);
  if (!givesImages(flags)) throw new ScconvError("usage", "no images to measure on: give --image or --data");
  const feeds: NamedTensors[] = [];
  for (const file of flags.image!) feeds.push(await readFeeds([file], options));
  return { count: feeds.length, feeds, close: async () => {} };
}

async function dataSetFeeds(
  flags: ImageFlags & { readonly data: string },
  {
    model,
    inputs,
    where,
    warn,
  }: { model: Model; inputs: readonly ValueInfo[]; where: string; warn(text: string): void },
  progress: CommandContext["progress"],
): Promise<ImageFeeds> {
  const [input, ...more] = inputs;
  const [batch, channels, height, width] = (input?.type?.shape ?? []).map((d) =>
    typeof d === "number" ? d : undefined,
  );
  const known = channels === 1 || channels === 3 ? channels : undefined;
  if (!input || more.length > 0 || input.type?.shape?.length !== 4 || (channels && !known)) {
    throw new ScconvError("bad-input", "the model takes no images of a data set", {
      where,
      need: "one input (N, 1 or 3, H, W)",
      got: inputs.map((i) => `"${i.name}" [${i.type?.shape?.join("×") ?? "?"}]`).join(", "),
    });
  }
  const normalize = normalizeFor(model, flags.normalize, { where, warn });
  const crop = cropFor(model, flags.crop, where);
  const take = { ...flags, limit: flags.limit ?? USUAL_IMAGES, crop };
  const data = await dataFor({ channels: known, height, width }, take, progress);
  if (!data.test) {
    await data.close();
    throw new ScconvError("bad-input", "the data has no evaluation split", { where: flags.data });
  }
  const count = batch === undefined ? data.test.length : data.test.length - (data.test.length % batch);
  const feeds = dataFeeds(data, { input: input.name, normalize, count, batch });
  return { count, feeds, close: () => data.close() };
}

export interface DataFeedOptions {
  readonly input: string;
  readonly normalize: Normalize;
  readonly count: number;
  /** Where the model fixes it. */
  readonly batch?: number | undefined;
  /** Of the images' choice, from all over the split; default: its first ones, in its order. */
  readonly seed?: number | undefined;
}

/** Images at once, where the model leaves it open. */
export const usualBatch = ({ height, width }: Pick<DataSet, "height" | "width">): number =>
  Math.max(1, Math.min(16, Math.floor(PIXELS / (height * width))));

/** Images of the evaluation split. */
export async function* dataFeeds(
  data: DataSet,
  { input, normalize, count, batch, seed }: DataFeedOptions,
): AsyncGenerator<NamedTensors> {
  const { channels, height, width } = data;
  const batchSize = batch ?? usualBatch(data);
  const order = seed === undefined ? {} : { shuffle: true, seed };
  let left = count;
  for await (const { images, count: here } of data.batches("test", { batchSize, normalize, ...order })) {
    const take = Math.min(here, left);
    if (take === 0) return;
    // The memory of a batch is used again for the next one.
    const values = images.slice(0, take * channels * height * width);
    yield new Map([[input, Tensor.of("float32", [take, channels, height, width], values)]]);
    left -= take;
  }
}
