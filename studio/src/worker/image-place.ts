import { ScconvError } from "scconv";
import type { OpenedModel } from "scconv/web";

/** Where a model takes an image. */
export interface ImagePlace {
  readonly input: string;
  readonly channels: 1 | 3;
  /** Undefined: the image's own. */
  readonly height: number | undefined;
  readonly width: number | undefined;
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
  const own = model.metadata.get("scconv.normalize");
  return {
    ...{ input: input.name, channels },
    height: typeof height === "number" ? height : size,
    width: typeof width === "number" ? width : size,
    normalize: own,
  };
}
