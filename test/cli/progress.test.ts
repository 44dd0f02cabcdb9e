import { describe, expect, it } from "vitest";
import { abilitiesOf } from "../../src/cli/paint.js";
import { progressOn } from "../../src/cli/progress.js";

function recorded() {
  const lines: string[] = [];
  let time = 0;
  const progress = progressOn({ write: (text) => lines.push(text) }, { bars: false, now: () => time });
  return {
    lines,
    progress,
    pass(ms: number) {
      time += ms;
    },
  };
}

describe("progress without a terminal", () => {
  it("writes a line for each tenth, with rate and time left", () => {
    const { lines, progress, pass } = recorded();
    const phase = progress.phase("train", 100);
    for (let i = 1; i <= 100; i++) {
      pass(500);
      phase.tick(i, "loss 0.5");
    }
    phase.done();
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("train 10 % · 10/100 · 2.0/s · 45 s left · loss 0.5\n");
    expect(lines[10]).toBe("train done · 100 · 50 s\n");
  });

  it("never floods: quick work says nothing, slow work every ten seconds", () => {
    const quick = recorded();
    const phase = quick.progress.phase("quick", 1000);
    for (let i = 1; i <= 1000; i++) phase.tick(i);
    phase.done();
    expect(quick.lines).toEqual([]);
    const slow = recorded();
    const long = slow.progress.phase("slow");
    for (let i = 1; i <= 60; i++) {
      slow.pass(1000);
      long.tick(i);
    }
    expect(slow.lines).toHaveLength(6);
  });

  it("shows control bytes instead of sending them", () => {
    const { lines, progress, pass } = recorded();
    const phase = progress.phase("\u001b[2J", 2);
    pass(20_000);
    phase.tick(1, "\u0007");
    expect(lines).toHaveLength(1);
    for (const control of ["\u0007", "\u001b"]) expect(lines[0]).not.toContain(control);
  });
});

describe("what a stream may be sent", () => {
  it.each([
    [{ isTTY: true }, {}, { colour: true, bars: true }],
    [{ isTTY: true }, { NO_COLOR: "1" }, { colour: false, bars: false }],
    [{ isTTY: true }, { TERM: "dumb" }, { colour: false, bars: false }],
    [{ isTTY: false }, {}, { colour: false, bars: false }],
  ])("%j with %j", (stream, env, expected) => {
    expect(abilitiesOf(stream as { isTTY: boolean }, env as Record<string, string>)).toEqual(expected);
  });
});
