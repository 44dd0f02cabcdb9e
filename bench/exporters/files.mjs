// Reads what export-models.py wrote.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors } from "../../dist/index.js";

/** The networks of a folder, in the order of the list where `order` has them. */
export async function readNetworks(root) {
  const found = [];
  for (const name of await readdir(root)) {
    const text = await readFile(join(root, name, "model.json"), "utf8").catch(() => undefined);
    if (text) found.push(JSON.parse(text));
  }
  return found;
}

/** What PyTorch says for one kind of sizes: images, labels, outputs, loss, gradients. */
export async function readReference(root, name, sizes) {
  const path = join(root, name, `${sizes}.safetensors`);
  return decodeSafetensors(await readFile(path), path).tensors;
}

/** ‖got − want‖ / ‖want‖ over two lists of numbers. */
export function relative(got, want, floor = 0) {
  let [off, size] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    off += (got[i] - want[i]) ** 2;
    size += want[i] ** 2;
  }
  return Math.sqrt(off) / Math.max(Math.sqrt(size), floor, Number.MIN_VALUE);
}
