import type { DataSet, Normalize } from "../data/data-set.js";
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
 * For a classifier whose file does not say how its images are normalised: a warning where far more images of a sample are right by
 * one of the named normalisations than by the one that is assumed.
 */
export async function warnOfLikelier(
  engine: Engine,
  file: Parameters<typeof accuracyOf>[1],
  { data, assumed, where }: { data: DataSet; assumed: Normalize; where: string },
  { threads, progress, signal, warn }: CommandContext,
): Promise<void> {
  const fits = ({ mean }: Normalize) => mean.length === 1 || mean.length === data.channels;
  const others = [normalizations.imagenet, normalizations.cifar10, normalizations.none].filter(
    (n) => fits(n) && n.name !== assumed.name,
  );
  if (others.length === 0 || !data.test) return;
  const sample = sampleOf(data, { train: 0, test: IMAGES });
  const tried = new Map<Normalize, number>();
  for (const normalize of [assumed, ...others]) {
    const how = { label: `try ${normalize.name}`, normalize, batch: BATCH };
    const { top1 } = await accuracyOf(engine, file, sample, how, { threads, progress, signal });
    tried.set(normalize, top1);
  }
  const before = tried.get(assumed)!;
  const [best, top1] = [...tried].reduce((a, b) => (b[1] > a[1] ? b : a));
  if (top1 < before + CLEARLY_MORE) return;
  warn(
    `${where}: of ${sample.test!.length} images ${before.toFixed(0)} % are right as they are fed, ${top1.toFixed(0)} % with --normalize ${best.name}`,
  );
}
