import { type SlimReport, wilson } from "../surgery/report.js";

export interface Sentence {
  readonly tone: "good" | "bad" | "plain";
  readonly text: string;
}

/** Ratios closer to 1 than this are noise on a machine that other programs share. */
const SAME_TIME = 0.03;

/** What came of it, in plain words; what got worse is said as plainly as what got better. */
export function verdict(report: SlimReport): readonly Sentence[] {
  return [sizeSentence(report), accuracySentence(report), ...timeSentences(report)];
}

function sizeSentence({ parameters, macs }: SlimReport): Sentence {
  const fewer = ([before, after]: readonly [number, number], what: string) => {
    const percent = 100 * (1 - after / before);
    if (Math.abs(percent) < 0.5) return `as many ${what}`;
    return `${Math.abs(percent).toFixed(0)} % ${percent > 0 ? "fewer" : "more"} ${what}`;
  };
  const text = `${fewer(parameters, "parameters")} and ${fewer(macs, "multiply-adds")}.`;
  const smaller = parameters[1] < parameters[0] && macs[1] < macs[0];
  return { tone: smaller ? "good" : "bad", text: text.charAt(0).toUpperCase() + text.slice(1) };
}

function accuracySentence({ top1: [before, after], data: { testImages } }: SlimReport): Sentence {
  const [low, high] = wilson(before, testImages);
  const points = Math.abs(after - before).toFixed(2);
  const figures = `${before.toFixed(2)} % → ${after.toFixed(2)} %`;
  if (after >= low && after <= high) {
    return {
      tone: "good",
      text: `Top-1 ${figures}: inside the original's 95 % interval (${low.toFixed(2)} – ${high.toFixed(2)}), so ${testImages} images show no difference.`,
    };
  }
  if (after > high) return { tone: "good", text: `Top-1 rose by ${points} points: ${figures}.` };
  return {
    tone: "bad",
    text: `It lost ${points} points of top-1: ${figures}. More epochs may win some of it back.`,
  };
}

function timeSentences({ latency }: SlimReport): Sentence[] {
  return latency ? [timeSentence(latency), ...rewriteSentence(latency)] : [];
}

type Times = NonNullable<SlimReport["latency"]>;

/** How much of the time is gained, or lost, by rewrites that need no swap. */
function rewriteSentence({ ratio, rewritten }: Times): Sentence[] {
  if (!rewritten || rewritten.ratio > 1 - SAME_TIME) return [];
  const alone = rewritten.ratio.toFixed(2);
  const swap = ratio / rewritten.ratio;
  const own = `${swap.toFixed(2)} ${swap > 1 ? "times" : "of"} that`;
  return [
    {
      tone: swap > 1 + SAME_TIME ? "bad" : "plain",
      text: `Rewritten in the same way, with nothing swapped, the original takes ${alone} of its time and answers as before (scconv export writes it); with the swap it is ${own}.`,
    },
  ];
}

function timeSentence({ ratio, batch, threads }: Times): Sentence {
  const where = `on this machine, batch ${batch}, ${threads} thread${threads > 1 ? "s" : ""}`;
  if (Math.abs(ratio - 1) < SAME_TIME) {
    return {
      tone: "plain",
      text: `It takes the same time as the original, within what can be measured (${where}).`,
    };
  }
  if (ratio < 1) {
    return {
      tone: "good",
      text: `It runs in ${ratio.toFixed(2)} of the original's time, ${(1 / ratio).toFixed(2)} times as fast (${where}).`,
    };
  }
  return {
    tone: "bad",
    text: `It got slower: ${ratio.toFixed(2)} times the original's time (${where}). Fewer multiply-adds are not always less time; fewer swapped layers, or --scope channel, may be faster.`,
  };
}
