import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.js";
import { type Served, serve } from "./open-studio.js";

describe("scconv studio", { timeout: 120_000 }, () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  }, 120_000);
  afterAll(() => void served?.child.kill("SIGKILL"));

  it("serves the page so that it may have threads, and names no other host", async () => {
    const response = await fetch(served.url);
    expect(response.status).toBe(200);
    expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    const page = await response.text();
    expect(page).toContain("default-src 'self'");
    expect(page).not.toMatch(/https?:\/\//);
  });

  it("serves its own folder only", async () => {
    for (const path of ["../package.json", "%2e%2e/package.json", "..%2fpackage.json", "index.js"]) {
      expect((await fetch(served.url + path)).status).toBe(404);
    }
  });

  it("says in one line that a port is taken", async () => {
    const { port } = new URL(served.url);
    const { status, stderr } = await runCli(["studio", "--port", port]);
    expect(status).toBe(1);
    expect(stderr).toBe(`scconv: 127.0.0.1:${port}: the port is taken (--port 0 takes one that is free)\n`);
  });

  it("refuses what is no port", async () => {
    const { status, stderr } = await runCli(["studio", "--port", "70000"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("need 0 to 65535")]);
  });

  it("stops cleanly", async () => {
    expect(await served.stop()).toBe(0);
  });
});
