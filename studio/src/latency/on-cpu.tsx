import { Name } from "../parts/name.js";
import type { NamedNodes, Timed } from "../worker/protocol.js";

/** So many names are listed. */
const MOST = 200;

/** Nodes of a model that WebGPU does not compute. */
export function OnCpu({ model: { name, kept, moved } }: { readonly model: Timed }) {
  const counts = new Map<string, number>();
  for (const { op, names } of [...kept, ...(moved ?? [])])
    counts.set(op, (counts.get(op) ?? 0) + names.length);
  const count = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return (
    <>
      {count > 0 && (
        <details class="on-cpu">
          <summary>
            {count} {count === 1 ? "node" : "nodes"} of <Name>{name}</Name> on the CPU:{" "}
            {[...counts].map(([op, n]) => `${op} ×${n}`).join(", ")}
          </summary>
          {kept.length > 0 && (
            <Nodes
              nodes={kept}
              why="Kept from WebGPU, because this engine computes them wrongly or fails at them there:"
            />
          )}
          {moved && moved.length > 0 && (
            <Nodes
              nodes={moved}
              why="Given to the CPU by the engine itself, because it has no WebGPU form of them or they compute sizes:"
            />
          )}
        </details>
      )}
      {moved === undefined ? (
        <p class="note">
          Which nodes of <Name>{name}</Name> the engine itself gives to the CPU could not be read from its
          log.
        </p>
      ) : (
        count === 0 && (
          <p class="note">
            WebGPU computes all nodes of <Name>{name}</Name>.
          </p>
        )
      )}
    </>
  );
}

function Nodes({ nodes, why }: { readonly nodes: readonly NamedNodes[]; readonly why: string }) {
  const all = nodes.flatMap(({ op, names }) => names.map((name) => ({ op, name })));
  return (
    <>
      <p class="note">{why}</p>
      <ul>
        {all.slice(0, MOST).map(({ op, name }, i) => (
          <li key={i}>
            {op} {name === "" ? "without a name" : <Name>{name}</Name>}
          </li>
        ))}
        {all.length > MOST && <li>and {all.length - MOST} more</li>}
      </ul>
    </>
  );
}
