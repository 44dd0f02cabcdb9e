import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkReportFolder, writeReport } from "../../src/cli/report/write-report.js";
import { ticks } from "../../src/report/chart.js";
import { reportPage } from "../../src/report/page.js";
import { verdict } from "../../src/report/verdict.js";
import { wilson } from "../../src/surgery/report.js";
import { temporaryFolder } from "./models.js";
import { report } from "./report-fixture.js";

const words = (page: string) =>
  page
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");

describe("the page", () => {
  const page = reportPage(report);

  it("needs nothing from elsewhere", () => {
    expect(page).not.toMatch(/https?:|<script|<img|@import|url\(/);
    expect(page).toMatch(/default-src 'none'/);
  });

  it("has every section and figure", () => {
    expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((m) => m[1])).toEqual([
      "Winning the accuracy back",
      "Latency",
      "Layers",
      "Why these layers",
      "Redundancy of the swapped layers",
      "How it was made",
    ]);
    const text = words(page);
    for (const figure of [
      "154 k",
      "from 270 k",
      "23.8 M",
      "655 kB",
      "85.12 %",
      "0.94 ms",
      "onnxruntime-node 1.30.0",
    ]) {
      expect(text).toContain(figure);
    }
    expect(text).toContain(report.command);
    expect(page.match(/<circle/g)).toHaveLength(report.epochs.length + 1);
  });

  it("is the same tree of tags as a shorter report, less what that has not", () => {
    const { latency: _, calibratedTop1: __, plan: ___, redundancy: ____, ...rest } = report;
    const text = words(reportPage({ ...rest, epochs: [] }));
    expect(text).not.toMatch(/Latency|Winning|Redundancy|Why/);
    expect(text).not.toMatch(/undefined|NaN/);
  });

  it("says what was tried for the accuracy that may be lost", () => {
    expect(words(page)).toMatch(/2 layers, 0\.\d{3} of the time: −3\.21 points.*1 layer, .*\+0\.04 points/);
  });

  it("says which way the redundancy went, and has each layer's figures", () => {
    const text = words(page);
    expect(text).toContain(
      "Of 4 swapped layers the effective rank fell in 2, rose in 1 and stayed within 1 % in 1;",
    );
    // Medians of 1 − rank ÷ maps: 44.38, 47.5, 50.31, 76.41 before, and 53.75, 58.75, 50.31, 68.91 after.
    expect(text).toContain("redundancy went from 48.9 % to 56.3 %");
    expect(text).toContain("is more redundant there than the original");
    expect(text).toContain("Dead maps: 4 → 0 of 128");
    expect(text).toContain("rank 8.9 → 7.4");
    const turned = report.redundancy!.layers.map((l) => ({ ...l, before: l.after, after: l.before }));
    const other = words(reportPage({ ...report, redundancy: { ...report.redundancy!, layers: turned } }));
    expect(other).toContain("fell in 1, rose in 2");
    expect(other).toContain("is less redundant there than the original");
    const same = report.redundancy!.layers.map((l) => ({ ...l, after: l.before }));
    const unchanged = words(reportPage({ ...report, redundancy: { ...report.redundancy!, layers: same } }));
    expect(unchanged).toContain("is as redundant there as the original");
  });

  it("says where the images were too few, and of maps without pairs nothing", () => {
    const [first] = report.redundancy!.layers;
    const few = {
      ...first!,
      before: { ...first!.before, pixels: 16, similarity: { median: null, alike: 0 } },
    };
    const text = words(reportPage({ ...report, redundancy: { images: 1, seconds: 1, layers: [few] } }));
    expect(text).toMatch(/Of the one swapped layer/);
    expect(text).toMatch(/Measured on 1 image of/);
    expect(text).toMatch(/In 1 of the layers .* bounds the rank/);
    expect(text).toContain("– → −0.03");
    expect(text).not.toMatch(/NaN|null|undefined/);
    expect(words(page)).not.toMatch(/bounds the rank/);
  });

  it("has the time that each form saves in each layer, and what was chosen", () => {
    const text = words(page);
    expect(text).toMatch(/\+0\.020 ms ±0\.004 ms error 0\.42 ✓ −0\.030 ms ±0\.005 ms error 0\.51/);
    expect(text).toContain("1 of 2 got a unit");
    expect(text).toMatch(/predicted to take 0\.910 of that, and 0\.930 was measured/);
  });

  it("says of a browser what a browser tells", () => {
    const { machine: _, latency: __, ...rest } = report;
    const software = { scconv: "0.1.0", runtime: "onnxruntime-web 1.30.0", host: "A browser 1.0" };
    const written = "It was stopped, and written as it was.";
    const text = words(reportPage({ ...rest, software, written }, { data: false }));
    expect(text).toContain("scconv 0.1.0, onnxruntime-web 1.30.0, A browser 1.0");
    expect(text).toContain(written);
    expect(text).not.toMatch(/undefined|NaN|best epoch|report\.json/);
  });

  it("escapes names, which are data", () => {
    const evil = `<img src=x onerror=alert(1)>"'&\u202e`;
    const layers = [{ ...report.layers[1]!, name: evil }];
    const bad = reportPage({ ...report, input: evil, command: evil, layers });
    expect(bad).not.toContain("<img");
    expect(bad).not.toContain("\u202e");
    expect(bad).toContain("&lt;img src=x onerror=alert(1)&gt;");
  });
});

describe("the verdict", () => {
  const tones = (r: Partial<typeof report>) => verdict({ ...report, ...r }).map((s) => s.tone);
  it("says what got worse as plainly as what got better", () => {
    expect(tones({})).toEqual(["good", "bad", "bad"]);
    expect(tones({ top1: [87.73, 87.4], latency: { ...report.latency!, ratio: 0.8 } })).toEqual([
      "good",
      "good",
      "good",
    ]);
    expect(tones({ latency: { ...report.latency!, ratio: 1.01 } })[2]).toBe("plain");
    expect(tones({ parameters: [10, 12] })[0]).toBe("bad");
  });

  it("tells what rewriting alone gains from what the swap gains", () => {
    const texts = (ratio: number, alone: number) => {
      const rewritten = { ...report.latency!.models[0], ratio: alone };
      return verdict({ ...report, latency: { ...report.latency!, ratio, rewritten } }).slice(2);
    };
    const [, said] = texts(0.8, 0.88);
    expect(said).toMatchObject({ tone: "plain" });
    expect(said!.text).toMatch(/takes 0\.88 of its time.*with the swap it is 0\.91 of that/);
    // Faster than the file that there was, and slower than it could be.
    expect(texts(0.95, 0.88).map((s) => s.tone)).toEqual(["good", "bad"]);
    expect(texts(0.8, 0.99)).toHaveLength(1);
  });
});

describe("Wilson's interval", () => {
  it("agrees with published values", () => {
    // 81 of 263: 0.2553 … 0.3662 (Newcombe 1998, method 3).
    const [low, high] = wilson((100 * 81) / 263, 263);
    expect(low).toBeCloseTo(25.53, 2);
    expect(high).toBeCloseTo(36.62, 2);
    expect(wilson(0, 20)[0]).toBe(0);
    expect(wilson(100, 20)[1]).toBe(100);
  });
});

describe("axis ticks", () => {
  it.each([
    [42.3, 88.4, [40, 50, 60, 70, 80, 90]],
    [0, 4, [0, 1, 2, 3, 4]],
    [85, 85, [85, 85.2]],
    [87.06, 88.36, [87, 87.5, 88, 88.5]],
  ])("%d … %d", (low, high, expected) => {
    expect(ticks(low, high, 5)).toEqual(expected);
  });
});

describe("writing it", () => {
  it("writes both files and replaces nothing unasked", async () => {
    const folder = await temporaryFolder();
    try {
      const at = join(folder.path, "deep", "report");
      await checkReportFolder(at);
      await writeReport(at, report);
      expect(JSON.parse(await readFile(join(at, "report.json"), "utf8"))).toEqual(report);
      await expect(checkReportFolder(at)).rejects.toThrow(/exists already.*--force/);
      await checkReportFolder(at, { force: true });
    } finally {
      await folder.remove();
    }
  });
});
