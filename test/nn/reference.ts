/*
 * SRU, CRU and SCConv written down from SPEC.md, plainly, in float64, sharing nothing with src: loops over (n, c, h, w)
 * that follow the page line by line.
 */

export interface Features {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** (n, c, h, w). */
  readonly at: Float64Array;
}

export interface ReferenceSettings {
  readonly groups: number;
  readonly eps: number;
  readonly threshold: number;
  readonly gate: "straight-through" | "hard" | "soft";
  readonly scope: "element" | "channel";
  readonly squeeze: number;
  readonly alpha: number;
  readonly convGroups: number;
  readonly kernel: number;
  readonly dilation: number;
  readonly fuse: "pair" | "all";
  readonly order: "sc" | "cs" | "parallel" | "s" | "c";
  readonly stride: number;
}

export interface Weight {
  readonly dims: readonly number[];
  readonly at: ArrayLike<number>;
}

/** By the names of SPEC.md. */
export type Weights = ReadonlyMap<string, Weight>;

type Size = Pick<Features, "n" | "c" | "h" | "w">;

function features({ n, c, h, w }: Size, f: (n: number, c: number, y: number, x: number) => number): Features {
  const at = new Float64Array(n * c * h * w);
  let i = 0;
  for (let b = 0; b < n; b++)
    for (let k = 0; k < c; k++)
      for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) at[i++] = f(b, k, y, x);
  return { n, c, h, w, at };
}

const get = (v: Features, n: number, c: number, y: number, x: number): number =>
  v.at[((n * v.c + c) * v.h + y) * v.w + x]!;

const channels = (v: Features, from: number, to: number): Features =>
  features({ ...v, c: to - from }, (n, c, y, x) => get(v, n, from + c, y, x));

const concat = (a: Features, b: Features): Features =>
  features({ ...a, c: a.c + b.c }, (n, c, y, x) => (c < a.c ? get(a, n, c, y, x) : get(b, n, c - a.c, y, x)));

const plus = (a: Features, b: Features): Features =>
  features(a, (n, c, y, x) => get(a, n, c, y, x) + get(b, n, c, y, x));

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** ĝ of SRU step 1: biased variance. */
function groupNorm(v: Features, groups: number, eps: number, gamma: Weight, beta: Weight): Features {
  const per = v.c / groups;
  const moments = Array.from({ length: v.n * groups }, (_, i) => {
    const [n, g] = [Math.floor(i / groups), i % groups];
    const size = per * v.h * v.w;
    const group = v.at.subarray((n * v.c + g * per) * v.h * v.w).subarray(0, size);
    const mean = group.reduce((a, b) => a + b, 0) / size;
    const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
    return [mean, Math.sqrt(variance + eps)] as const;
  });
  return features(v, (n, c, y, x) => {
    const [mean, deviation] = moments[n * groups + Math.floor(c / per)]!;
    return ((get(v, n, c, y, x) - mean) / deviation) * gamma.at[c]! + beta.at[c]!;
  });
}

/** s of step 3, for every pixel. */
export function gatesOf(x: Features, weights: Weights, s: ReferenceSettings): Features {
  const [gamma, beta] = [weights.get("sru.gn.weight")!, weights.get("sru.gn.bias")!];
  const normed = groupNorm(x, s.groups, s.eps, gamma, beta);
  let sum = 0;
  for (let c = 0; c < x.c; c++) sum += gamma.at[c]!;
  if (Math.abs(sum) < 1e-6) sum = sum < 0 ? -1e-6 : 1e-6;
  return features(x, (n, c, y, w) => {
    const share = gamma.at[c]! / sum;
    return sigmoid(s.scope === "channel" ? share : share * get(normed, n, c, y, w));
  });
}

/** Steps 4 and 5 with W1 and W2 as functions of s. */
export function reconstruct(
  x: Features,
  gates: Features,
  w1: (s: number, i: number) => number,
  w2: (s: number, i: number) => number,
): Features {
  const x1 = { ...x, at: x.at.map((v, i) => v * w1(gates.at[i]!, i)) };
  const x2 = { ...x, at: x.at.map((v, i) => v * w2(gates.at[i]!, i)) };
  const half = x.c / 2;
  return concat(
    plus(channels(x1, 0, half), channels(x2, half, x.c)),
    plus(channels(x1, half, x.c), channels(x2, 0, half)),
  );
}

export function sruReference(x: Features, weights: Weights, s: ReferenceSettings): Features {
  const soft = s.gate === "soft";
  return reconstruct(
    x,
    gatesOf(x, weights, s),
    (g) => (g > s.threshold ? 1 : soft ? g : 0),
    (g) => (g > s.threshold ? 0 : soft ? g : 1),
  );
}

interface ConvShape {
  readonly groups?: number;
  readonly dilation?: number;
  readonly stride?: number;
}

/** k×k, padding d·⌊k/2⌋. */
function conv(v: Features, weight: Weight, bias?: Weight, shape: ConvShape = {}): Features {
  const { groups = 1, dilation = 1, stride = 1 } = shape;
  const [out, per, k] = weight.dims as [number, number, number];
  const pad = dilation * Math.floor(k / 2);
  const size = { n: v.n, c: out, h: Math.ceil(v.h / stride), w: Math.ceil(v.w / stride) };
  return features(size, (n, o, y, x) => {
    const first = Math.floor(o / (out / groups)) * per;
    let sum = bias ? bias.at[o]! : 0;
    for (let i = 0; i < per; i++)
      for (let ky = 0; ky < k; ky++)
        for (let kx = 0; kx < k; kx++) {
          const [yy, xx] = [y * stride + ky * dilation - pad, x * stride + kx * dilation - pad];
          if (yy < 0 || xx < 0 || yy >= v.h || xx >= v.w) continue;
          sum += get(v, n, first + i, yy, xx) * weight.at[((o * per + i) * k + ky) * k + kx]!;
        }
    return sum;
  });
}

const pooled = (v: Features, n: number, c: number): number => {
  const size = v.h * v.w;
  const plane = v.at.subarray((n * v.c + c) * size, (n * v.c + c + 1) * size);
  return plane.reduce((a, b) => a + b, 0) / size;
};

export function cruReference(x: Features, weights: Weights, s: ReferenceSettings): Features {
  const w = (name: string) => weights.get(`cru.${name}`)!;
  const upper = Math.floor(s.alpha * x.c);
  const up = conv(channels(x, 0, upper), w("squeeze_up.weight"));
  const low = conv(channels(x, upper, x.c), w("squeeze_low.weight"));
  const grouped = conv(up, w("gwc.weight"), w("gwc.bias"), { groups: s.convGroups, dilation: s.dilation });
  const y1 = plus(grouped, conv(up, w("pwc1.weight")));
  const pwc2 = weights.get("cru.pwc2.weight");
  const y2 = pwc2 ? concat(conv(low, pwc2), low) : low;
  const share = (n: number, c: number): [number, number] => {
    const [s1, s2] = [Math.exp(pooled(y1, n, c)), Math.exp(pooled(y2, n, c))];
    if (s.fuse === "pair") return [s1 / (s1 + s2), s2 / (s1 + s2)];
    let total = 0;
    for (let k = 0; k < y1.c; k++) total += Math.exp(pooled(y1, n, k)) + Math.exp(pooled(y2, n, k));
    return [s1 / total, s2 / total];
  };
  const shares = Array.from({ length: x.n * y1.c }, (_, i) => share(Math.floor(i / y1.c), i % y1.c));
  return features(y1, (n, c, y, k) => {
    const [b1, b2] = shares[n * y1.c + c]!;
    return b1 * get(y1, n, c, y, k) + b2 * get(y2, n, c, y, k);
  });
}

/** s×s, stride s; a window over the edge averages the pixels that it has. */
export function averagePool(v: Features, s: number): Features {
  const size = { ...v, h: Math.ceil(v.h / s), w: Math.ceil(v.w / s) };
  return features(size, (n, c, y, x) => {
    let [sum, count] = [0, 0];
    for (let yy = y * s; yy < Math.min(v.h, (y + 1) * s); yy++)
      for (let xx = x * s; xx < Math.min(v.w, (x + 1) * s); xx++) {
        sum += get(v, n, c, yy, xx);
        count++;
      }
    return sum / count;
  });
}

export function scconvReference(x: Features, weights: Weights, s: ReferenceSettings): Features {
  const sru = (v: Features) => sruReference(v, weights, s);
  const cru = (v: Features) => cruReference(v, weights, s);
  const pool = (v: Features) => averagePool(v, s.stride);
  switch (s.order) {
    case "sc":
      return cru(pool(sru(x)));
    case "cs":
      return sru(cru(pool(x)));
    case "parallel":
      return plus(pool(sru(x)), cru(pool(x)));
    case "c":
      return cru(pool(x));
    case "s":
      return conv(sru(x), weights.get("conv.weight")!, undefined, { stride: s.stride, dilation: s.dilation });
  }
}
