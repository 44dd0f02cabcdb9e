import { ScconvError } from "../../base/errors.js";
import type { RunStore } from "../../train/checkpoint.js";
import type { GridFacts } from "./facts.js";
import { difference } from "./plan.js";

const FILE = "grid.json";

/**
 * A folder holds one grid over one set of images. Seeds and cells may be added; the settings of runs that are there are
 * held to their own `config.json`.
 */
export async function claimGrid(store: RunStore, { grid, data }: GridFacts, folder: string): Promise<void> {
  const { source: _, normalize: __, ...images } = data;
  const claim = { grid: grid.name, images };
  const bytes = await store.read(FILE);
  if (!bytes) {
    return store.write(FILE, new TextEncoder().encode(`${JSON.stringify(claim, null, 2)}\n`));
  }
  let before: unknown;
  try {
    before = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ScconvError("bad-input", "not a grid's record", { where: `${folder}/${FILE}`, cause });
  }
  const changed = difference(before as object, claim);
  if (!changed) return;
  throw new ScconvError("bad-setting", "the folder holds another grid", {
    where: folder,
    need: `${changed.path} ${changed.before}`,
    got: changed.after,
    hint: "give another --out",
  });
}
