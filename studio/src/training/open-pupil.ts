import {
  type Classifier,
  checkLabels,
  cropFor,
  type DataSet,
  type Graph,
  openBatch,
  prepare,
  ScconvError,
} from "scconv";
import { type OpenedModel, openDataFiles, openModelFile, type PlacedFile } from "scconv/web";
import type { ModelFiles } from "../worker/protocol.js";
import type { ImagesRequest, ImagesSummary } from "./protocol.js";

/** A model that can be trained. */
export interface Pupil {
  readonly files: ModelFiles;
  readonly opened: OpenedModel;
  readonly classifier: Classifier;
  readonly fixedBatch: number | undefined;
  /** Ready for surgery. */
  readonly original: Graph;
  readonly crop: number | undefined;
}

/** Throws `bad-input` or `unsupported` where it is no classifier of images of one size. */
export async function openPupil(files: ModelFiles): Promise<Pupil> {
  const where = files.model.name;
  const opened = await openModelFile(files.model, { external: files.external });
  const { graph, classifier, fixedBatch } = openBatch(opened.graph, where);
  if (classifier.height === undefined || classifier.width === undefined) {
    throw new ScconvError("unsupported", "training needs images of one size", {
      where,
      got: "a model that leaves their height or width open",
      hint: "export it with a fixed size",
    });
  }
  const crop = cropFor(opened.model, undefined, where);
  return { files, opened, classifier, fixedBatch, original: prepare(graph), crop };
}

/** The files as a data set in the form that the model takes. */
export async function openImages(
  { opened, classifier, crop }: Pupil,
  { files, limit, holdOut, seed }: ImagesRequest,
): Promise<{ readonly data: DataSet; readonly summary: ImagesSummary }> {
  const { channels, height, width, classes } = classifier;
  const name = nameOf(files);
  const data = await openDataFiles(files, {
    ...{ name, size: height === width ? height : undefined, crop, channels, limit, holdOut, seed },
  });
  const { train, test } = data;
  if (!train) {
    throw new ScconvError("bad-input", "there are images for evaluation only", {
      where: name,
      need: "images to train on: train-*.tar, train/ or files of any other name",
    });
  }
  if (!test) {
    throw new ScconvError("bad-input", "one image is not enough: some are held out", { where: name });
  }
  if (data.height !== height || data.width !== width) {
    throw new ScconvError("bad-input", "the images do not fit the model", {
      where: name,
      got: `${data.width}×${data.height}`,
      need: `${width}×${height}`,
      hint: "a model that takes images that are not square needs them in its own size",
    });
  }
  for (const { labels } of [train, test]) if (classes !== undefined) checkLabels(labels, classes, data);
  return {
    data,
    summary: {
      ...{ name, classes: data.classes, outputs: classes, height, width },
      ...{ train: train.length, test: test.length, heldOut: data.heldOut },
      normalize: opened.model.metadata.get("scconv.normalize"),
    },
  };
}

/** Of the folder that they are all in, else of the one file. */
function nameOf(files: readonly PlacedFile[]): string {
  const [first] = files;
  if (!first) return "nothing";
  const slash = first.path.indexOf("/");
  const folder = first.path.slice(0, slash + 1);
  if (slash > 0 && files.every(({ path }) => path.startsWith(folder))) return folder.slice(0, -1);
  return files.length === 1 ? first.path : `${files.length} files`;
}
