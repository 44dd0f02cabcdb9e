/*
 * Ghost module: Han, Wang, Tian, Guo, Xu, Xu, "GhostNet: More Features from Cheap Operations", CVPR 2020, §3.1, equations
 * 2–3, figure 2b. An ordinary convolution makes m = n/s intrinsic feature maps; s − 1 ghosts of each come from a
 * depthwise d×d convolution of it (the "cheap linear operation" Φ); both together are the n maps.
 */
import { concat, slice } from "../ops/emit.js";
import { conv } from "./layers.js";
import { badSetting, type ConvUnit } from "./slot.js";

export interface GhostSettings {
  /** Ratio s of all feature maps to the intrinsic ones. */
  readonly ghostRatio: number;
  /** Kernel d of the cheap operation. */
  readonly ghostKernel: number;
}

export const ghostDefaults: GhostSettings = { ghostRatio: 2, ghostKernel: 3 };

/**
 * In place of a k×k convolution (k = 1 too: the paper replaces every convolution of a ResNet-50 but the first), x
 * (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉). The stride is the primary convolution's. Parameters `primary_conv`
 * (⌈out/s⌉, C, k, k) and `cheap_operation` (⌈out/s⌉·(s − 1), 1, d, d); where s does not divide `out` the last ghosts are
 * left out, as the authors do. Equation 3 has neither norm nor activation inside the module: the ones behind the
 * convolution are the backbone's. (GhostNet itself puts both into each half.)
 */
export const ghostUnit =
  (settings: Partial<GhostSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride, dilation = 1 }) =>
    x.builder.scope(name, () => {
      const { ghostRatio: s, ghostKernel: d } = { ...ghostDefaults, ...settings };
      if (!Number.isInteger(s) || s < 2 || s > out) {
        throw badSetting("Ghost", x, "ghost-ratio", s, `a whole number from 2 to the ${out} output channels`);
      }
      if (!Number.isInteger(d) || d < 1 || d % 2 === 0) {
        throw badSetting("Ghost", x, "ghost-kernel", d, "an odd number");
      }
      const m = Math.ceil(out / s);
      const intrinsic = conv(x, m, "primary_conv", random, { kernel, stride, dilation });
      const ghosts = conv(intrinsic, m * (s - 1), "cheap_operation", random, { kernel: d, groups: m });
      const some = m * s === out ? ghosts : slice(ghosts, { starts: [0], ends: [out - m], axes: [1] });
      return concat([intrinsic, some], 1);
    });
