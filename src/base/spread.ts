/** Percentile `p` (0 … 1) of values, between neighbours by linear interpolation. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] ?? Number.NaN;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return below + (above - below) * (at - low);
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export interface Spread {
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  medianMs: median(values),
  p10Ms: percentile(values, 0.1),
  p90Ms: percentile(values, 0.9),
});

/**
 * Each model's time over the first one's: the median of the ratios inside each round. A slow spell of the machine hits
 * all models of its round, and so not their ratio; a ratio of medians would mix rounds.
 */
export function ratiosToFirst(rounds: readonly (readonly number[])[]): number[] {
  const models = rounds[0]?.length ?? 0;
  return Array.from({ length: models }, (_, m) => median(rounds.map((round) => round[m]! / round[0]!)));
}
