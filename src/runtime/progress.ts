/** What long work says about itself. Library code is handed one of these; only the terminal decides how it looks. */
export interface Progress {
  /** Begins a phase; without a `total` it has no rate of completion. Phases follow one another, they do not nest. */
  phase(label: string, total?: number): ProgressPhase;
}

export interface ProgressPhase {
  /** `done` counts from 0 to the phase's total (absolute, not an increment); `note` is a few words such as `loss 1.23`. */
  tick(done: number, note?: string): void;
  done(note?: string): void;
}

/** For callers that show nothing. */
export const silentProgress: Progress = {
  phase: () => ({ tick() {}, done() {} }),
};
