import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { fraction } from "../../src/cli/flags.js";
import { allUnitFlags, settingsOf, unitFlags } from "../../src/cli/unit-flags.js";
import { type ConvUnitName, convUnitNames, convUnits } from "../../src/nn/units.js";

const given = (unit: ConvUnitName, ...args: string[]) => {
  const command = allUnitFlags(new Command()).exitOverride();
  return settingsOf(unit, command.parse(args, { from: "user" }).opts());
};

describe("the units' flags", () => {
  it.each(convUnitNames)("%s: each setting but ε has a flag", (name) => {
    const flags = new Set(unitFlags(new Command(), [name]).options.map((o) => o.attributeName()));
    const settings = Object.keys(convUnits[name].defaults).filter((k) => k !== "eps");
    expect([...flags].sort()).toEqual(settings.sort());
  });

  it("give the settings of the unit that is asked for", () => {
    expect(given("ghost", "--ghost-ratio", "4", "--ghost-kernel", "5")).toEqual({
      ghostRatio: 4,
      ghostKernel: 5,
    });
    expect(given("slimconv", "--slim-k", "4/3")).toEqual({ slimK: 4 / 3 });
    expect(given("tiedconv", "--tied-blocks", "4")).toEqual({ tiedBlocks: 4 });
    expect(given("octconv", "--alpha", "0.25")).toEqual({ alpha: 0.25 });
    expect(given("standard")).toEqual({});
  });

  it("are refused for a unit that would not look at them", () => {
    expect(() => given("ghost", "--alpha", "0.5")).toThrowError(
      /^--conv ghost has no such setting, need --ghost-ratio, --ghost-kernel, got --alpha$/,
    );
    expect(() => given("standard", "--tied-blocks", "2")).toThrowError(/need none, got --tied-blocks/);
    expect(() => given("scconv", "--slim-k", "1")).toThrowError(expect.objectContaining({ code: "usage" }));
  });

  it.each([["4/0"], ["1/2"], ["x"], ["4/3/2"], ["-4/3"], [""]])("no quotient from 1: %j", (text) => {
    expect(() => fraction("--slim-k", { min: 1 })(text)).toThrowError(
      /^--slim-k: not a possible value, need a number from 1, or a quotient such as 4\/3, got /,
    );
  });

  it("reads quotients and numbers", () => {
    const read = fraction("--slim-k", { min: 1 });
    expect([read("4/3"), read("2"), read(" 8 / 3 "), read("1.5")]).toEqual([4 / 3, 2, 8 / 3, 1.5]);
  });
});
