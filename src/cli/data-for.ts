import { ScconvError } from "../base/errors.js";
import type { DataSet } from "../data/data-set.js";
import { type OpenDataOptions, openData } from "../host/node/data/open-data.js";
import type { Progress } from "../runtime/progress.js";
import type { Classifier } from "../train/classifier.js";

export interface DataFlags {
  readonly data: string;
  readonly size?: number | undefined;
  readonly limit?: number | undefined;
  readonly crop?: number | undefined;
}

/** The data of `--data` in the form that the model takes: its channels, and its size unless `--size` says another. */
export async function dataFor(
  { channels, height, width }: Partial<Pick<Classifier, "channels" | "height" | "width">>,
  { data: spec, size, limit, crop }: DataFlags,
  progress: Progress,
): Promise<DataSet> {
  const square = height !== undefined && height === width ? height : undefined;
  let phase: ReturnType<Progress["phase"]> | undefined;
  const onProgress: OpenDataOptions["onProgress"] = ({ what, done, total }) => {
    phase ??= progress.phase(what, total);
    phase.tick(done);
  };
  const data = await openData(spec, { size: size ?? square, limit, crop, channels, onProgress });
  phase?.done();
  if ((height ?? data.height) === data.height && (width ?? data.width) === data.width) return data;
  await data.close();
  throw new ScconvError("bad-setting", "the images do not fit the model", {
    where: spec,
    got: `${data.height}×${data.width}`,
    need: `${height ?? "?"}×${width ?? "?"}`,
    hint: height === width ? "leave --size out" : "the model takes images that are not square",
  });
}
