import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import type { DataSet } from "../data/data-set.js";
import type { Graph } from "../graph/ir.js";
import { readModel } from "../host/node/models.js";
import { freeBatch } from "../ops/free-batch.js";
import { prepare } from "../surgery/prepare.js";
import { classifierOf } from "../train/classifier.js";
import { NORMALIZE_KEY } from "../train/model-images.js";
import { real } from "./flags.js";

/** A network whose answers a run learns from beside the labels (Hinton et al. 2015). */
export interface TeacherConfig {
  /** An ONNX classifier of the same images and classes. */
  readonly file: string;
  readonly temperature: number;
  /** Weight of its answers against the labels. */
  readonly distill: number;
}

export interface TeacherFlags {
  readonly teacher?: string;
  readonly temperature?: number;
  readonly distill?: number;
}

export const teacherFlags = (command: Command): Command =>
  command
    .option("--teacher <model>", "an ONNX classifier whose answers are learned, too (distillation)")
    .option(
      "--temperature <t>",
      "of the distillation (default: 4)",
      real("--temperature", { min: 0, open: true }),
    )
    .option(
      "--distill <share>",
      "weight of the teacher's answers against the labels (default: 0.9)",
      real("--distill", { min: 0, max: 1 }),
    );

/** What the flags say of a teacher; undefined where there is none. */
export function teacherConfigOf({
  teacher: file,
  temperature,
  distill,
}: TeacherFlags): TeacherConfig | undefined {
  if (file !== undefined) return { file, temperature: temperature ?? 4, distill: distill ?? 0.9 };
  if (temperature === undefined && distill === undefined) return undefined;
  throw new ScconvError("usage", "no teacher to distil from", {
    got: temperature === undefined ? "--distill" : "--temperature",
    need: "--teacher MODEL.onnx with it",
  });
}

/** The teacher's graph up to its logits. Throws where it does not look at the images and classes of `data` as the run does. */
export async function teacherGraph(file: string, data: DataSet, normalize: string): Promise<Graph> {
  const { graph, model } = await readModel(file);
  const free = freeBatch(graph);
  if (!free) {
    throw new ScconvError("unsupported", "a teacher needs a batch that is not fixed in the file", {
      where: file,
      hint: "export it with a dynamic batch axis",
    });
  }
  const teacher = classifierOf(prepare(free), file);
  const differ = (what: string, got: unknown, need: unknown) =>
    new ScconvError("bad-setting", `the teacher's ${what} are not the run's`, {
      ...{ where: file, got: `${got}`, need: `${need}` },
    });
  const { channels = data.channels, height = data.height, width = data.width } = teacher;
  const [theirs, ours] = [
    [channels, height, width].join("×"),
    [data.channels, data.height, data.width].join("×"),
  ];
  if (theirs !== ours) throw differ("images", theirs, ours);
  if (teacher.classes !== data.classes.length) throw differ("classes", teacher.classes, data.classes.length);
  const own = model.metadata.get(NORMALIZE_KEY);
  if (own !== undefined && own !== normalize) throw differ("normalised images", own, normalize);
  return teacher.graph;
}
