/** Nodes that ONNX Runtime gave to one of its providers, after its own rewriting. */
export interface NodePlacement {
  /** `CPUExecutionProvider`. */
  readonly provider: string;
  readonly count: number;
  /** Undefined where all nodes have the same provider: the engine then tells their number alone. */
  readonly nodes: readonly PlacedNode[] | undefined;
}

export interface PlacedNode {
  readonly op: string;
  /** Empty where the node has none. */
  readonly name: string;
}

/** What its lines about the placement of nodes have in common; all else in the log may be left out. */
export const placementMark = "VerifyEachNodeIsAssignedToAnEp]";

/**
 * The placement in ONNX Runtime's log of opening a session, of severity 0. Undefined where that does not tell all of it: another version
 * may write it in another way, and names are a file's, with ends of lines where it likes. So every line of the listing must be one
 * of the known, and every list as long as the log says.
 */
export function nodePlacement(log: readonly string[]): readonly NodePlacement[] | undefined {
  const lines = log.flatMap((line) => {
    const at = line.indexOf(placementMark);
    return at < 0 ? [] : [line.slice(at + placementMark.length)];
  });
  const begin = lines.lastIndexOf(" Node placements");
  if (begin < 0) return undefined;
  const found: { provider: string; count: number; nodes: PlacedNode[] | undefined }[] = [];
  for (const line of lines.slice(begin + 1)) {
    if (!line.startsWith("  ")) break;
    const [, which, provider, count] = heading.exec(line) ?? [];
    if (provider) {
      found.push({ provider, count: Number(count), nodes: which === "All nodes" ? undefined : [] });
      continue;
    }
    const [, op, name] = entry.exec(line) ?? [];
    if (op === undefined) return undefined;
    found.at(-1)?.nodes?.push({ op, name: name! });
  }
  const whole = found.every(({ nodes, count }) => nodes === undefined || nodes.length === count);
  return found.length > 0 && whole ? found : undefined;
}

const heading = /^ {2}(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)$/;
const entry = /^ {3}(\w+) \((.*)\)$/s;
