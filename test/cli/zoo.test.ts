import { describe, expect, it } from "vitest";
import { convUnit } from "../../src/nn/units.js";
import { trainableParts } from "../../src/train/parts.js";
import { architecture, architectures } from "../../src/zoo/index.js";
import { runCli } from "./run-cli.js";

interface Row {
  readonly name: string;
  readonly input: readonly number[];
  readonly classes: number;
  readonly parameters: number | null;
  readonly macs: number | null;
  readonly reason?: string;
}

async function zoo(...args: string[]): Promise<Map<string, Row>> {
  const { status, stdout, stderr } = await runCli(["zoo", "--json", ...args]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const { architectures: rows } = JSON.parse(stdout) as { architectures: Row[] };
  return new Map(rows.map((r) => [r.name, r]));
}

describe("scconv zoo", () => {
  it("lists every architecture at its own size and classes", async () => {
    const rows = await zoo();
    expect([...rows.keys()]).toEqual(Object.keys(architectures));
    expect(rows.get("resnet50")).toMatchObject({
      ...{ input: [3, 224, 224], classes: 1000, parameters: 25_557_032, macs: 4_089_184_256 },
    });
    expect(rows.get("resnet20")).toMatchObject({
      ...{ input: [3, 32, 32], classes: 10, parameters: 269_722, macs: 40_551_040 },
    });
    expect([...rows.values()].filter((r) => r.reason)).toEqual([]);
  });

  it("counts what a unit makes of them, at another size and number of classes", async () => {
    const rows = await zoo("--conv", "scconv", "--classes", "100", "--size", "64");
    // SPEC: 25.557 M → 16.53 M with a thousand classes; what the network learns, and no constants beside it.
    const r50 = architecture("resnet50")({ unit: convUnit("scconv"), classes: 100, init: "zeros" });
    const learned = [...trainableParts(r50).parameters.values()].reduce((sum, t) => sum + t.size, 0);
    expect(rows.get("resnet50")!.parameters).toBe(learned);
    expect(rows.get("resnet50")).toMatchObject({ input: [3, 64, 64], classes: 100 });
    expect((rows.get("resnet50")!.parameters! + 900 * 2049) / 1e6).toBeCloseTo(16.53, 2);
    // Not refused, not dropped: said.
    expect(rows.get("vgg16-bn")).toMatchObject({ parameters: null, macs: null });
    expect(rows.get("vgg16-bn")!.reason).toMatch(/multiple of 224/);
  });

  it("lists a network that the unit does not fit with the layer and the reason", async () => {
    const rows = await zoo("--conv", "scconv", "--width", "0.6");
    expect(rows.size).toBe(Object.keys(architectures).length);
    expect(rows.get("resnet20")!.reason).toMatch(/^layer1\.0\.conv2.*need .*got /);
    const { status, stdout } = await runCli(["zoo", "--conv", "scconv", "--width", "0.6"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/resnet20 .*layer1\.0\.conv2/);
    expect(stdout).toMatch(/networks are listed with the reason/);
  });

  it.each([
    ["an unknown unit", ["--conv", "dynamic"], /--conv: not a possible value/],
    ["a setting of another unit", ["--conv", "standard", "--alpha", "0.25"], /--alpha/],
    ["no width", ["--width", "0"], /--width/],
  ])("%s is a mistake of usage", async (_, args, message) => {
    const { status, stderr } = await runCli(["zoo", ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
