/** Means over a few seeds, and how far they can be trusted. */

/** A mean with its 95 % interval; of one value there is no interval. */
export interface Estimate {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1 below the line). */
  readonly deviation: number | undefined;
  /** Half the width of the 95 % confidence interval of the mean, t₀.₉₇₅(n − 1)·s/√n. */
  readonly half: number | undefined;
}

/** Undefined where there is no value. */
export function estimate(values: readonly number[]): Estimate | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n === 1) return { n, mean, deviation: undefined, half: undefined };
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1));
  return { n, mean, deviation, half: (studentQuantile(0.975, n - 1) * deviation) / Math.sqrt(n) };
}

/**
 * The mean of b − a over the keys (seeds) that both have. A seed decides the order of the images and the augmentation for
 * both, so the differences vary less than the values do.
 */
export function pairedDifference(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): Estimate | undefined {
  return estimate([...b].filter(([seed]) => a.has(seed)).map(([seed, value]) => value - a.get(seed)!));
}

/**
 * P(T ≤ t) of Student's t with a whole number ν of degrees of freedom, exactly: Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 26.7.3 (ν odd) and 26.7.4 (ν even), with θ = arctan(t/√ν).
 */
export function studentCdf(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const odd = degrees % 2 === 1;
  const cos2 = Math.cos(theta) ** 2;
  // Σ over the powers of cos θ below ν − 1, each term from the one before.
  let term = odd ? Math.cos(theta) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cos2 * (k - 1)) / k;
    sum += term;
  }
  const inside = odd ? (2 / Math.PI) * (theta + Math.sin(theta) * sum) : Math.sin(theta) * sum;
  return (1 + inside) / 2;
}

/** The t below which a share `p` in (½, 1) lies; by bisection, to the last bits. */
export function studentQuantile(p: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (studentCdf(high, degrees) < p) [low, high] = [high, 2 * high];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
