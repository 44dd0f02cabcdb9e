import { expect, it } from "vitest";
import { gridClock } from "../../../src/cli/ablate/clock.js";
import type { PlannedCell, PlannedRun } from "../../../src/cli/ablate/plan.js";
import type { RunRecord } from "../../../src/cli/ablate/record.js";
import { silentProgress } from "../../../src/runtime/progress.js";

const cellOf = (label: string) => ({ label }) as PlannedCell;
const runOf = (cell: PlannedCell, seed: number) =>
  ({ cell, seed, config: { recipe: { epochs: 2 } } }) as unknown as PlannedRun;

it("counts the time left by each cell's own speed, and not the time of what was done before", () => {
  const [fast, slow] = [cellOf("fast"), cellOf("slow")];
  const runs = [runOf(fast, 0), runOf(slow, 0), runOf(fast, 1), runOf(slow, 1)];
  let time = 0;
  // 2 epochs of 100 images took 20 s.
  const finished = new Map([[runs[0]!, { seconds: 20 } as RunRecord]]);
  const clock = gridClock(runs, finished, 100, () => time * 1000);
  expect(clock.left()).toBe("1 min 00 s left");

  const notes: string[] = [];
  const labels: string[] = [];
  const progress = clock.progress(runs[1]!, 1, {
    phase: (label, total) => {
      labels.push(label);
      return { ...silentProgress.phase(label, total), tick: (_, note = "") => void notes.push(note) };
    },
  });
  // Goes on in the middle of its second epoch; the first tick only says where.
  const phase = progress.phase("epoch 2/2", 100);
  time += 5;
  phase.tick(50, "loss 1");
  time += 15;
  phase.tick(75, "loss 1");
  expect(labels).toEqual(["2/4 slow, seed 0: epoch 2/2"]);
  // 25 images in 15 s: 0.6 s each, for 25 + 200 of the slow cell; 0.1 s for 200 of the fast one.
  expect(notes[1]).toBe("loss 1 · grid 46 % · 2 min 35 s left");
  phase.done();
  clock.over(runs[1]!);
  // The 25 that were left took no time: 0.3 s each.
  expect(clock.left()).toBe("1 min 20 s left");
});
