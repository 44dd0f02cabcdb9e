import { formatSeconds } from "../../base/format.js";
import type { Progress } from "../../runtime/progress.js";
import type { PlannedRun } from "./plan.js";
import type { RunRecord } from "./record.js";

export interface GridClock {
  /** What a run says of itself, with its place in the grid and the grid's time left beside. */
  progress(run: PlannedRun, epochsDone: number, inner: Progress): Progress;
  /** A run is over, however it ended. */
  over(run: PlannedRun): void;
  /** `12 min left`, or nothing while nothing is known. */
  left(): string;
}

/**
 * How far a grid is, in images. The time left of each run is counted by the seconds that an image took in its own cell
 * where that is known (cells differ by a factor), else by the mean of all that is known.
 */
export function gridClock(
  runs: readonly PlannedRun[],
  finished: ReadonlyMap<PlannedRun, RunRecord>,
  images: number,
  now: () => number = Date.now,
): GridClock {
  const whole = (run: PlannedRun) => run.config.recipe.epochs * images;
  const done = new Map(runs.map((run) => [run, finished.has(run) ? whole(run) : 0]));
  // Seconds and images of each cell, as far as they were measured.
  const spent = new Map(runs.map(({ cell }) => [cell, { seconds: 0, images: 0 }]));
  for (const [run, { seconds, diverged }] of finished) {
    if (diverged === undefined) add(run, seconds, whole(run));
  }
  function add(run: PlannedRun, seconds: number, count: number): void {
    const sum = spent.get(run.cell)!;
    sum.seconds += seconds;
    sum.images += count;
  }
  const rateOf = ({ seconds, images: n }: { seconds: number; images: number }) => (n > 0 ? seconds / n : 0);
  const secondsLeft = (): number => {
    const all = { seconds: 0, images: 0 };
    for (const { seconds, images: n } of spent.values()) {
      all.seconds += seconds;
      all.images += n;
    }
    const mean = rateOf(all);
    return runs.reduce(
      (sum, run) => sum + (whole(run) - done.get(run)!) * (rateOf(spent.get(run.cell)!) || mean),
      0,
    );
  };
  const left = () => {
    const seconds = secondsLeft();
    return seconds > 0 ? `${formatSeconds(seconds)} left` : "";
  };
  const share = () => {
    const total = runs.reduce((sum, run) => sum + whole(run), 0);
    return Math.floor((100 * [...done.values()].reduce((a, b) => a + b, 0)) / total);
  };
  return {
    left,
    over: (run) => void done.set(run, whole(run)),
    progress(run, epochsDone, inner) {
      const place = `${runs.indexOf(run) + 1}/${runs.length} ${run.cell.label}, seed ${run.seed}`;
      let epoch = epochsDone;
      // Where this session began within the run: what came before took none of its time.
      let mark: { time: number; images: number } | undefined;
      const reach = (count: number) => {
        mark ??= { time: now(), images: count };
        done.set(run, Math.min(whole(run), count));
        add(run, (now() - mark.time) / 1000, count - mark.images);
        mark = { time: now(), images: count };
      };
      return {
        phase(label, total) {
          const phase = inner.phase(`${place}: ${label}`, total);
          const before = epoch * images;
          // The first epoch of a session may begin in its middle: its first tick says where.
          if (mark) reach(before);
          return {
            tick(count, note) {
              reach(before + count);
              phase.tick(count, [note, `grid ${share()} %`, left()].filter(Boolean).join(" · "));
            },
            done(note) {
              phase.done(note);
              epoch++;
              reach(epoch * images);
            },
          };
        },
      };
    },
  };
}
