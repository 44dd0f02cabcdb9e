import { createHash } from "node:crypto";
import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { readRegularFile } from "../host/node/read-file.js";
import { convName } from "../surgery/match.js";
import { decodeSwapPlan, type LayerChoice } from "../surgery/swap-plan.js";
import type { SwapFlags } from "./unit-flags.js";

export interface ChosenLayers {
  readonly layers: LayerChoice;
  /** For reports, and for finding out whether a resumed run has the same plan. */
  readonly label: string;
}

/** More than any network has layers. */
const largest = 2 ** 24;

/** What `--plan` names; undefined where it names nothing. */
export async function readPlan({ plan }: SwapFlags): Promise<ChosenLayers | undefined> {
  if (plan === undefined) return undefined;
  const bytes = await readRegularFile(plan, "the plan", largest);
  const layers = decodeSwapPlan(new TextDecoder().decode(bytes), plan);
  const digest = createHash("sha256")
    .update(JSON.stringify([...layers]))
    .digest("hex")
    .slice(0, 12);
  return { layers, label: `${plan} (${layers.size} layers, ${digest})` };
}

/** A plan for another network names convolutions that are not here. */
export function checkPlan({ nodes }: Graph, { layers }: ChosenLayers, where: string): void {
  const names = new Set(nodes.filter((n) => n.op === "Conv").map(convName));
  const missing = [...layers.keys()].filter((name) => !names.has(name));
  if (missing.length === 0) return;
  throw new ScconvError("bad-input", "the plan names convolutions that the model does not have", {
    where,
    got:
      missing
        .slice(0, 4)
        .map((n) => `"${n}"`)
        .join(", ") + (missing.length > 4 ? ` and ${missing.length - 4} more` : ""),
    hint: "scconv inspect lists its convolutions",
  });
}
