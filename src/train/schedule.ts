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

export interface StepsOptions {
  /** Below 1: shares of the whole run. From 1: epochs done, of `epochs`. */
  readonly milestones?: readonly number[];
  /** Needed where milestones are epochs. */
  readonly epochs?: number;
  readonly factor?: number;
  readonly warmup?: number;
}

/** base, times `factor` after each of `milestones`. */
export const steps =
  (
    base: number,
    { milestones = [0.5, 0.75], epochs = 1, factor = 0.1, warmup = 0 }: StepsOptions = {},
  ): Schedule =>
  (step, total) => {
    const rise = Math.min(warmup, Math.floor(total / 10));
    if (step < rise) return (base * (step + 1)) / rise;
    // 0.3 of 100 epochs is the start of an epoch, whatever 0.3 is in binary.
    const passed = milestones.filter((m) => step >= (m * total) / (m < 1 ? 1 : epochs) - 1e-6);
    return base * factor ** passed.length;
  };
