import { describe, expect, it } from "vitest";
import { decodeSwapPlan, encodeSwapPlan } from "../../src/surgery/swap-plan.js";

describe("a plan as a file", () => {
  it("comes back as it was, whatever its names are", () => {
    const layers = new Map([
      ["layer1.0.conv2", { alpha: 0.25, convGroups: 1, scope: "channel" as const }],
      ['a"\n</script>', {}],
      ["__proto__", { gate: "soft" as const }],
    ]);
    expect(decodeSwapPlan(encodeSwapPlan(layers, "m.onnx"), "p.json")).toEqual(layers);
  });

  const plan = (layers: unknown, more = {}) =>
    JSON.stringify({ format: "scconv swap plan", version: 1, layers, ...more });
  it.each([
    ["no JSON", "{", "not a plan of scconv"],
    ["another document", '{"layers": []}', "not a plan of scconv"],
    ["another version", plan([], { version: 2 }), "a plan of another version, need 1, got 2"],
    ["no layers", plan([]), "the plan swaps nothing"],
    ["a layer without a name", plan([{ alpha: 0.5 }]), "layer 1 of the plan has no name of its own"],
    ["a layer twice", plan([{ name: "a" }, { name: "a" }]), "layer 2 of the plan"],
    ["an unknown setting", plan([{ name: "a", constructor: 1 }]), 'a setting of "a" is not known'],
    ["a text for a number", plan([{ name: "a", alpha: "0.5" }]), 'alpha of "a" can not be, need a number'],
    ["an unknown gate", plan([{ name: "a", gate: "open" }]), "need straight-through, hard, soft"],
  ])("refuses %s in one line", (_, text, message) => {
    expect(() => decodeSwapPlan(text, "p.json")).toThrow(message);
    expect(() => decodeSwapPlan(text, "p.json")).toThrow(/^p\.json: [^\n]*$/);
  });
});
