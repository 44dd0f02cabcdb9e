import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { printable, ScconvError } from "../../src/base/errors.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeNpy } from "../../src/cli/npy.js";
import { shown } from "../../src/cli/paint.js";
import { progressOn } from "../../src/cli/progress.js";
import { table } from "../../src/cli/table.js";
import { reportPage } from "../../src/report/page.js";
import { report } from "../cli/report-fixture.js";
import { runCli } from "../cli/run-cli.js";
import { tempFolder } from "../host/data/fixtures.js";
import { controls } from "./refused.js";
import { floats, input, intAttr, len, modelOf, node, output } from "./wire.js";

/** One of each class: escapes, bells, C1, bidirectional marks, zero widths, separators, tags, half a pair, markup. */
const evil =
  "\u001b[2J\u0007\u009b31m\u200f\u202e\u2066\u061c\u200b\u2060\ufeff\u2028\u2029\u00ad\u{e0041}\ud800\r\b<b>&\"'";

describe("a name from a file", () => {
  it("is shown by its codes in errors, and does not push away what is wrong", () => {
    const long = "n".repeat(2 ** 20);
    const error = new ScconvError("shape", "cannot be", {
      where: evil + long,
      got: long + evil,
      need: long,
      hint: long,
    });
    expect(error.message).not.toMatch(controls);
    expect(error.message).toMatch(/cannot be, need n+…, got n+… \(n+…\)$/);
    expect(error.message.length).toBeLessThan(4000);
    expect(printable("\u202e\u{e0041}")).toBe("\\u202e\\u{e0041}");
  });

  it("in tables, progress and answers", () => {
    expect(table([{ title: "layer" }], [[evil]])).not.toMatch(controls);
    let written = "";
    const stream = {
      write: (text: string) => {
        written += text;
      },
    };
    let now = 0;
    const phase = progressOn(stream, { bars: false, now: () => now }).phase(evil, 10);
    now = 20_000;
    phase.tick(5, evil);
    phase.done(evil);
    expect(written).toContain("50 %");
    expect(written).not.toMatch(controls);
    expect(shown(`a\n${evil}`, { colour: false })).not.toMatch(controls);
    const coloured = shown(`\u001b[31mred\u001b[39m ${evil}`, { colour: true });
    expect(coloured).toContain("\u001b[31mred\u001b[39m");
    expect(coloured.replace("\u001b[31mred\u001b[39m", "")).not.toMatch(controls);
  });

  it("is no markup in the report", () => {
    const [first, ...rest] = report.layers;
    const page = reportPage({
      ...report,
      input: evil,
      command: evil,
      layers: [{ ...first!, name: evil, from: evil }, ...rest],
    });
    expect(page).not.toContain("<b>");
    expect(page).not.toMatch(controls);
  });

  it("does not come to the terminal by way of the engine, which has a log of its own", async () => {
    const root = await tempFolder();
    const name = "\u001b[31mgather\u001b]0;owned\u0007";
    const bytes = modelOf(
      input("x", [1]),
      output("y"),
      floats("w", [1, 2, 3]),
      node("Cast", ["x"], ["i"], intAttr("to", 7)),
      node("Gather", ["w", "i"], ["y"], len(3, name)),
    );
    await writeFile(join(root, "m.onnx"), bytes);
    await writeFile(join(root, "x.npy"), encodeNpy(Tensor.from("float32", [1], [100])));
    const { status, stderr } = await runCli(["run", join(root, "m.onnx"), "--input", join(root, "x.npy")]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/the engine could not run the model/);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toMatch(controls);
  });
});
