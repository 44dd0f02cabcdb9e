/*
 * Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks", BMVC 2016. WRN-d-k for CIFAR (table 1): three
 * stages of (d − 4)/6 pre-activation blocks (He et al. 2016, "Identity Mappings in Deep Residual Networks") with 16k, 32k
 * and 64k channels; where widths differ the shortcut is a 1×1 convolution of the block's activation. Dropout is left out,
 * as in the paper's main results. Parameter names: xternalz/WideResNet-pytorch.
 *
 * For ImageNet (§3.4) ResNet-50 with twice the channels in the 3×3 convolution: torchvision's wide_resnet50_2.
 */
import { ScconvError } from "../base/errors.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { type ArchitectureOptions, type Net, network, normRelu, pooled, residual } from "./network.js";
import { resnets } from "./resnet.js";

export const wideResnet50 = { ...resnets[50], widthPerGroup: 128 } as const;

export interface WideResnetOptions extends Partial<ArchitectureOptions> {
  readonly depth: number;
  /** k. */
  readonly widen: number;
  /** Which 3×3 convolution of a block has the stride: the paper's is the first; some implementations take the second. */
  readonly strideIn?: "first" | "second";
}

/** Images (N, channels, size, size) → logits (N, classes). Throws `bad-setting` where the depth is not 6n + 4. */
export function wideResnet({ depth, widen, strideIn = "first", ...options }: WideResnetOptions): Graph {
  const blocks = (depth - 4) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new ScconvError("bad-setting", "no wide ResNet has this depth", {
      got: `${depth}`,
      need: "6n + 4: 16, 28 …",
    });
  }
  return network(`wrn-${depth}-${widen}`, options, {}, (images, net) => {
    let x = net.stem(images, net.scaled(16), "conv1", { kernel: 3, stride: 1 });
    [16, 32, 64].forEach((base, stage) => {
      for (let i = 0; i < blocks; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        x = x.builder.scope(`block${stage + 1}.layer.${i}`, () =>
          block(x, net.scaled(base * widen), { stride, strideIn }, net),
        );
      }
    });
    return net.linear(pooled(normRelu(x, "bn1")), net.classes, "fc");
  });
}

function block(
  x: Value,
  width: number,
  { stride, strideIn }: { readonly stride: number } & Required<Pick<WideResnetOptions, "strideIn">>,
  { first, second, pointwise }: Net,
): Value {
  const early = strideIn === "first" ? stride : 1;
  const active = normRelu(x, "bn1");
  const inner = normRelu(first(active, width, "conv1", { kernel: 3, stride: early }), "bn2");
  const y = second(inner, width, "conv2", { kernel: 3, stride: stride / early });
  const same = stride === 1 && x.shape[1] === width;
  return residual(y, same ? x : pointwise(active, width, "convShortcut", stride));
}
