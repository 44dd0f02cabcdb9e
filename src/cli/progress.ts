import { SingleBar } from "cli-progress";
import { printable } from "../base/errors.js";
import { formatSeconds } from "../base/format.js";
import type { Progress, ProgressPhase } from "../runtime/progress.js";

export interface ProgressStream {
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Draw in place; else plain lines, seldom. */
  readonly bars: boolean;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** A progress whose bar, should one be drawn when the work fails, can be taken away. */
export interface TerminalProgress extends Progress {
  stop(): void;
}

/** Progress on a stream: a bar with rate and time left on a terminal, a line now and then elsewhere. */
export function progressOn(
  stream: ProgressStream,
  { bars, now = Date.now }: ProgressOptions,
): TerminalProgress {
  let drawn: SingleBar | undefined;
  return {
    phase(label, total) {
      if (!bars) return linePhase(stream, label, total, now);
      drawn?.stop();
      const phase = barPhase(stream, label, total, now);
      drawn = phase.bar;
      return phase;
    },
    // The cursor, hidden beside a bar, comes back with it.
    stop: () => drawn?.stop(),
  };
}

function rateOf(done: number, seconds: number): string {
  const rate = done / seconds;
  if (!Number.isFinite(rate) || rate <= 0) return "";
  if (rate < 1) return `${formatSeconds(1 / rate)} each`;
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

/** `calibrate 40 % · 160/400 · 12/s · 20 s left · loss 0.4` */
function describe(
  label: string,
  total: number | undefined,
  done: number,
  seconds: number,
  note: string,
): string {
  const left = total && done > 0 && done < total ? ((total - done) * seconds) / done : undefined;
  const parts = [
    total ? `${Math.floor((100 * done) / total)} %` : "",
    total ? `${done}/${total}` : `${done}`,
    rateOf(done, seconds),
    left === undefined ? "" : `${formatSeconds(left)} left`,
    note,
  ];
  return `${printable(label)} ${printable(parts.filter(Boolean).join(" · "), 300)}`;
}

/** Lines elsewhere: a tenth of the way, or so many milliseconds, whichever is first, but never a flood. */
const TENTH = 0.1;
const SELDOM = 10_000;
const FLOOD = 1_000;

function linePhase(
  stream: ProgressStream,
  label: string,
  total: number | undefined,
  now: () => number,
): ProgressPhase {
  const started = now();
  let shownAt = started;
  let shownDone = 0;
  let last = 0;
  return {
    tick(done, note = "") {
      last = done;
      const t = now();
      const far = total !== undefined && done - shownDone >= total * TENTH && t - shownAt >= FLOOD;
      if (!far && t - shownAt < SELDOM) return;
      shownAt = t;
      shownDone = done;
      stream.write(`${describe(label, total, done, (t - started) / 1000, note)}\n`);
    },
    done(note = "") {
      const seconds = (now() - started) / 1000;
      // What took no time is not news.
      if (seconds < 1 && !note) return;
      const count = last > 1 ? ` · ${total ?? last}` : "";
      stream.write(
        `${printable(label)} done${count} · ${formatSeconds(seconds)}${note ? ` · ${printable(note, 300)}` : ""}\n`,
      );
    },
  };
}

function barPhase(
  stream: ProgressStream,
  label: string,
  total: number | undefined,
  now: () => number,
): ProgressPhase & { readonly bar: SingleBar } {
  const started = now();
  let note = "";
  const bar = new SingleBar({
    stream: stream as NodeJS.WritableStream,
    hideCursor: true,
    clearOnComplete: true,
    // Signals are the command line's own affair: the first one stops cleanly.
    gracefulExit: false,
    fps: 8,
    barsize: 24,
    format: (options, { value, progress }) => {
      const size = options.barsize ?? 24;
      const full = Math.round(Math.min(1, progress) * size);
      const drawn = total ? `${"█".repeat(full)}${"░".repeat(size - full)} ` : "";
      return `${drawn}${describe(label, total, value, (now() - started) / 1000, note)}`;
    },
  });
  bar.start(total ?? 0, 0);
  return {
    bar,
    tick(done, said = "") {
      note = said;
      bar.update(done);
    },
    done(said = "") {
      bar.stop();
      const seconds = (now() - started) / 1000;
      if (seconds < 1 && !said) return;
      stream.write(
        `${printable(label)} done · ${formatSeconds(seconds)}${said ? ` · ${printable(said, 300)}` : ""}\n`,
      );
    },
  };
}
