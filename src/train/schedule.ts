/** Learning rate as a function of progress: steps done, of all steps. */
export type Schedule = (step: number, steps: number) => number;

/** Linear warm-up over `warmup` steps (at most a tenth of all), then half a cosine down to `floor` × base. */
export const cosine =
  (base: number, { warmup = 0, floor = 0 }: { warmup?: number; floor?: number } = {}): Schedule =>
  (step, steps) => {
    const rise = Math.min(warmup, Math.floor(steps / 10));
    if (step < rise) return (base * (step + 1)) / rise;
    const t = (step - rise) / Math.max(1, steps - rise);
    return base * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * t)));
  };

/** base, times `factor` after each of `milestones` (shares of the whole run). */
export const steps =
  (
    base: number,
    {
      milestones = [0.5, 0.75],
      factor = 0.1,
      warmup = 0,
    }: { milestones?: readonly number[]; factor?: number; warmup?: number } = {},
  ): Schedule =>
  (step, total) => {
    const rise = Math.min(warmup, Math.floor(total / 10));
    if (step < rise) return (base * (step + 1)) / rise;
    return base * factor ** milestones.filter((m) => step >= m * total).length;
  };
