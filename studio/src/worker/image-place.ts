import { imageTensor, type Normalize, ScconvError, type Tensor } from "scconv";
import { decodeImage, type OpenedModel } from "scconv/web";

/** Where a model takes an image. */
export interface ImagePlace {
  readonly input: string;
  readonly channels: 1 | 3;
  /** Undefined where it is open: the image's own. */
  readonly height: number | undefined;
  readonly width: number | undefined;
  /** Share that the centre crop keeps, as its metadata says. */
  readonly crop: number | undefined;
  /** As its metadata says. */
  readonly normalize: string | undefined;
}

export function imagePlaceOf({ graph, model }: OpenedModel, where: string, size?: number): ImagePlace {
  const fed = graph.inputs.filter((i) => !graph.initializers.has(i.name));
  const [input] = fed;
  const [, channels, height, width] = input?.type?.shape ?? [];
  const takesImages =
    fed.length === 1 &&
    input?.type?.dtype === "float32" &&
    input.type.shape?.length === 4 &&
    (channels === 1 || channels === 3);
  if (!takesImages) {
    throw new ScconvError("bad-input", "the model takes no image", {
      where,
      need: "one float32 input (N, 1 or 3, H, W)",
    });
  }
  const crop = Number(model.metadata.get("scconv.crop"));
  return {
    ...{ input: input.name, channels },
    height: typeof height === "number" ? height : size,
    width: typeof width === "number" ? width : size,
    crop: crop > 0 && crop <= 1 ? crop : undefined,
    normalize: model.metadata.get("scconv.normalize"),
  };
}

/** (1, C, H, W), normalised; brought to the model's size where that is square, as the command line does it. */
export async function imageFor(
  { channels, height, width, crop }: ImagePlace,
  image: Blob,
  normalize: Normalize,
): Promise<Tensor> {
  const where = "name" in image ? String(image.name) : "the image";
  const view = height !== undefined && height === width ? { size: height, crop } : undefined;
  const decoded = await decodeImage(image, where, { channels, view });
  if ((height ?? decoded.height) !== decoded.height || (width ?? decoded.width) !== decoded.width) {
    throw new ScconvError("bad-input", "the image has another size than the model", {
      where,
      got: `${decoded.width}×${decoded.height}`,
      need: `${width ?? "any"}×${height ?? "any"}`,
    });
  }
  return imageTensor(decoded, normalize);
}
