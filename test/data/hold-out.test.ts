import { describe, expect, it } from "vitest";
import { holdOut, labelsOf } from "../../src/data/hold-out.js";

const labels = Int32Array.from({ length: 50 }, (_, i) => (i < 40 ? i % 2 : 2));

describe("images that are held out", () => {
  it("are a share of every class, and all others are trained on", () => {
    const { train, test } = holdOut(labels, 0.2, 0);
    expect([...labelsOf({ labels }, test).labels].sort()).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
  });

  it("are the same for a seed, and others for another", () => {
    expect(holdOut(labels, 0.2, 3)).toEqual(holdOut(labels, 0.2, 3));
    expect(holdOut(labels, 0.2, 3).test).not.toEqual(holdOut(labels, 0.2, 4).test);
  });

  it("are one at least where there are two, and none where there is one", () => {
    expect(holdOut(Int32Array.of(0, 1), 0.1, 0).test).toHaveLength(1);
    expect(holdOut(Int32Array.of(0), 0.1, 0).test).toHaveLength(0);
  });

  it("leave files where any of their images are left", () => {
    const at = Uint32Array.of(1, 2, 7, 9);
    expect(labelsOf({ labels, shards: [0, 2, 4, 6] }, at).shards).toEqual([0, 1, 2]);
  });
});
