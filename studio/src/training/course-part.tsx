import { useEffect, useRef } from "preact/hooks";
import { formatSeconds } from "scconv";
import { Note } from "../parts/message.js";
import { abandon, course, pause, resume, run, stop } from "./training.js";

const names: readonly (readonly [RegExp, string])[] = [
  [/^eval original/, "Measuring the original on the images that are held out"],
  [/^calibrate/, "Calibration: every new unit is fitted to the convolution that it replaces"],
  [/^eval calibrated/, "Measuring the calibrated network"],
  [/^epoch (\d+)\/(\d+)/, "Fine-tuning beside the original"],
  [/^eval slimmed/, "Measuring the network that was reached"],
];
const nameOf = (label: string): string => names.find(([r]) => r.test(label))?.[1] ?? label;

/** Where a run is, and how to hold it. */
export function CoursePart() {
  const { progress, engine } = course.value;
  const state = run.value.kind;
  const label = progress?.label ?? "";
  const hold = useRef<HTMLButtonElement>(null);
  // The button that began it is gone.
  useEffect(() => hold.current?.focus(), []);
  return (
    <section class="card stack" aria-label="Progress">
      <p role="status" class="part">
        {state === "paused"
          ? "Paused"
          : state === "stopping"
            ? "Stopping: what was reached is measured and kept"
            : progress
              ? nameOf(label)
              : "Starting the engine …"}
      </p>
      {progress && (
        <label class="note">
          {[label, ...figures()].join(" · ")}
          <progress value={progress.done} max={Math.max(1, progress.total)} />
        </label>
      )}
      <div class="actions">
        {state !== "stopping" && (
          <button ref={hold} type="button" class="outline" onClick={state === "paused" ? resume : pause}>
            {state === "paused" ? "Resume" : "Pause"}
          </button>
        )}
        {state !== "stopping" && (
          <button type="button" class="secondary" onClick={stop}>
            Stop
          </button>
        )}
        {state === "stopping" && (
          <button type="button" class="secondary" onClick={abandon}>
            Stop at once
          </button>
        )}
      </div>
      {engine && (
        <Note>
          {`${engine.runtime}, ${engine.provider}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}${engine.device ? `, ${engine.device}` : ""}`}
        </Note>
      )}
      {engine?.notes.map((n) => (
        <Note key={n}>{n}</Note>
      ))}
    </section>
  );
}

/** Speed, what is left, and the loss. */
function figures(): string[] {
  const { progress, step } = course.value;
  if (!progress || progress.done === 0) return [];
  const { done, total, images, ms, note, label } = progress;
  const training = label.startsWith("epoch") && step ? step : undefined;
  const left = training
    ? ((training.steps - training.step) * training.ms) / training.step
    : (ms / done) * (total - done);
  return [
    `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`,
    `${rate((1000 * images) / ms)} images/s`,
    left >= 1000 ? `${formatSeconds(left / 1000)} left${training ? " of all epochs" : ""}` : "",
    note,
  ].filter(Boolean);
}

const rate = (n: number): string => (n < 10 ? n.toFixed(1) : n.toFixed(0));
