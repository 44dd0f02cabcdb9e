import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listen, startAudibly } from "../../src/host/web/engine-log.js";

/** An engine: prints by the functions that the console has when it is started. */
const engine = (delay: number) =>
  startAudibly(async () => {
    const { log, error } = console;
    await setTimeout(delay);
    return { log, error };
  });

describe("the engine's log", () => {
  const own = { log: vi.fn(), error: vi.fn() };
  const before = { log: console.log, error: console.error };
  beforeEach(() => {
    Object.assign(console, own);
  });
  afterEach(() => {
    Object.assign(console, before);
    vi.clearAllMocks();
  });

  it("gives the console back as it was, of engines that are started at once, too", async () => {
    await Promise.all([engine(5), engine(20)]);
    expect([console.log, console.error]).toEqual([own.log, own.error]);
    const failing = startAudibly(() => Promise.reject(new Error("no file")));
    await expect(failing).rejects.toThrow("no file");
    expect([console.log, console.error]).toEqual([own.log, own.error]);
  });

  it("is handed on, but for what is listened to, which the page's own lines are not", async () => {
    const { log, error } = await engine(0);
    log("one");
    const lines = await listen("mark]", async () => {
      error("[mark] two");
      log("three");
      console.log("the page's");
    });
    error("[mark] four");
    expect(lines).toEqual(["[mark] two"]);
    expect(own.log.mock.calls).toEqual([["one"], ["the page's"]]);
    expect(own.error.mock.calls).toEqual([["[mark] four"]]);
  });

  it("is left when what it was listened to for fails", async () => {
    const { log } = await engine(0);
    await expect(listen("mark", () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    log("heard by nobody");
    expect(own.log.mock.calls).toEqual([["heard by nobody"]]);
  });
});
