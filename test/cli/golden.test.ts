import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { checkGolden } from "../../src/cli/golden.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/runtime/safetensors.js";

const folder = fileURLToPath(new URL("../../../shared/golden/module", import.meta.url));
const present = existsSync(folder);
const files = present ? readdirSync(folder).filter((f) => f.endsWith(".safetensors")) : [];
const reason = `the golden vectors are not on this machine (${folder}); test/nn checks the module without them`;
if (!present) console.warn(`skipped: ${reason}`);

const engine = nodeEngine({ threads: 1 });
const read = (file: string) => readFileSync(`${folder}/${file}`);

describe.skipIf(!present)(`golden vectors${present ? "" : `: ${reason}`}`, () => {
  it("are 26", () => {
    expect(files).toHaveLength(26);
  });

  it.each(files)("%s", async (file) => {
    const result = await checkGolden(engine, file, read(file));
    expect(result.pass, JSON.stringify(result)).toBe(true);
    expect(result.forward).toBeLessThanOrEqual(1e-5);
    expect(Object.keys(result.gradients).length).toBeGreaterThanOrEqual(3);
  });

  it.each(["y", "grad.x", "grad.sru.gn.weight"])("a wrong %s is seen", async (name) => {
    const { tensors, metadata } = decodeSafetensors(read("11-scconv.safetensors"), "golden");
    const changed = new Map(tensors);
    const t = tensors.get(name)!;
    const bytes = Uint8Array.from(t.bytes);
    new DataView(bytes.buffer).setFloat32(0, 1.5 * (t.numbers()[0]! + 1), true);
    changed.set(name, Tensor.ofBytes(t.dtype, t.dims, bytes));
    const result = await checkGolden(engine, "changed", encodeSafetensors(changed, metadata));
    expect(result.pass).toBe(false);
  });
});

describe("a file that is no golden vector", () => {
  it("is refused", async () => {
    await expect(checkGolden(engine, "empty", encodeSafetensors(new Map()))).rejects.toThrowError(
      /^empty: not a golden vector: no config/,
    );
    const bare = encodeSafetensors(new Map(), new Map([["config", JSON.stringify({ op: "sru" })]]));
    await expect(checkGolden(engine, "bare", bare)).rejects.toThrowError(/bare: .* lacks tensor "x"/);
  });
});
