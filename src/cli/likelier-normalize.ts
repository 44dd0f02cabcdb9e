import type { DataSet } from "../data/data-set.js";
import { normalizations } from "../data/normalize.js";
import { sampleOf } from "../data/sample.js";
import type { Engine } from "../runtime/session.js";
import { accuracyOf } from "../train/accuracy.js";
import type { CommandContext } from "./command.js";

/** Of so many images the share that is right is known to 3.5 points. */
const IMAGES = 200;
/** What chance does not make of that many. */
const CLEARLY_MORE = 15;
const BATCH = 50;

/**
 * For a classifier whose file does not say how its images are normalised, and that is fed 0 … 1: a warning where far more images of a
 * sample are right by one of the named normalisations. (CIFAR-100's is CIFAR-10's but for two hundredths.)
 */
export async function warnOfLikelier(
  engine: Engine,
  file: Parameters<typeof accuracyOf>[1],
  { data, where }: { data: DataSet; where: string },
  { threads, progress, signal, warn }: CommandContext,
): Promise<void> {
  // The named ones are of three channels.
  if (data.channels !== 3 || !data.test) return;
  const sample = sampleOf(data, { train: 0, test: IMAGES });
  const right = async (name: keyof typeof normalizations): Promise<number> => {
    const how = { label: `try ${name}`, normalize: normalizations[name], batch: BATCH };
    return (await accuracyOf(engine, file, sample, how, { threads, progress, signal })).top1;
  };
  const asFed = await right("none");
  const [imagenet, cifar10] = [await right("imagenet"), await right("cifar10")];
  const best = Math.max(imagenet, cifar10);
  if (best < asFed + CLEARLY_MORE) return;
  const name = imagenet === best ? "imagenet" : "cifar10";
  warn(
    `${where}: of ${sample.test!.length} images ${asFed.toFixed(0)} % are right as they are fed, ${best.toFixed(0)} % with --normalize ${name}`,
  );
}
