import { ScconvError } from "../base/errors.js";

export interface Idx {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/**
 * LeCun's IDX format: 0, 0, type, rank, then the sizes as big-endian 32-bit integers, then the elements. Only unsigned
 * bytes (type 8) of rank 1 (labels), 3 (N, H, W) and 4 (N, H, W, C), as MNIST and its heirs use. `data` is a view.
 * Throws `bad-input`.
 */
export function readIdx(file: Uint8Array, where: string): Idx {
  const bad = (what: string, need: string, got: string) =>
    new ScconvError("bad-input", what, { where, need, got });
  if (file.length < 4 || file[0] !== 0 || file[1] !== 0) {
    throw bad("not an IDX file", "bytes 0, 0 at the start", [...file.subarray(0, 4)].join(", ") || "nothing");
  }
  if (file[2] !== 8) throw bad("IDX elements of another type", "8 (unsigned bytes)", `${file[2]}`);
  const rank = file[3]!;
  if (rank !== 1 && rank !== 3 && rank !== 4) throw bad("IDX file of another rank", "1, 3 or 4", `${rank}`);
  const head = 4 + 4 * rank;
  if (file.length < head) throw bad("IDX header is cut off", `${head} bytes`, `${file.length}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dims.reduce((a, b) => a * b, 1);
  if (file.length - head !== size) {
    throw bad(
      `IDX file of ${dims.join("×")} has the wrong length`,
      `${size} bytes after the header`,
      `${file.length - head}`,
    );
  }
  return { dims, data: file.subarray(head) };
}

export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** (count, H, W, C) */
  readonly pixels: Uint8Array;
  /** (count) */
  readonly labels: Uint8Array;
}

/** An images file with its labels file. Throws `bad-input` where they do not belong together. */
export function idxImages(
  images: Uint8Array,
  imagesName: string,
  labels: Uint8Array,
  labelsName: string,
): IdxImages {
  const pixels = readIdx(images, imagesName);
  const classes = readIdx(labels, labelsName);
  const [count = 0, height = 0, width = 0, channels = 1] = pixels.dims;
  if (pixels.dims.length < 3 || (channels !== 1 && channels !== 3) || height * width === 0) {
    throw new ScconvError("bad-input", "IDX file does not hold images", {
      where: imagesName,
      need: "N×H×W, N×H×W×1 or N×H×W×3",
      got: pixels.dims.join("×"),
    });
  }
  if (classes.dims.length !== 1 || classes.dims[0] !== count) {
    throw new ScconvError("bad-input", "labels do not fit the images", {
      where: labelsName,
      need: `${count}`,
      got: classes.dims.join("×"),
    });
  }
  return { count, height, width, channels, pixels: pixels.data, labels: classes.data };
}
