import { Name } from "../parts/name.js";
import type { Timed } from "../worker/protocol.js";

/** So many names are listed. */
const MOST = 200;

/** Nodes of a model that WebGPU does not compute. */
export function OnCpu({ model }: { readonly model: Timed }) {
  const all = model.onCpu.flatMap(({ op, names }) => names.map((name) => ({ op, name })));
  return (
    <details class="on-cpu">
      <summary>
        {all.length} {all.length === 1 ? "node" : "nodes"} of <Name>{model.name}</Name> on the CPU:{" "}
        {model.onCpu.map(({ op, names }) => `${op} ×${names.length}`).join(", ")}
      </summary>
      <p class="note">
        Kept from WebGPU, because this engine computes them wrongly or fails at them there. Which others the
        engine itself moves to the CPU, for want of a WebGPU form, is not told here.
      </p>
      <ul>
        {all.slice(0, MOST).map(({ op, name }, i) => (
          <li key={i}>
            {op} <Name>{name}</Name>
          </li>
        ))}
        {all.length > MOST && <li>and {all.length - MOST} more</li>}
      </ul>
    </details>
  );
}
