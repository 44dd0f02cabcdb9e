import { useMemo, useState } from "preact/hooks";
import { type ComparedLayer, formatCount, formatDim, formatShape, formatShare, type LayerSide } from "scconv";
import { type Column, DataTable } from "../parts/data-table.js";
import { Name } from "../parts/name.js";

/** Layers of both, aligned by their names. */
export function CompareTable({ layers }: { readonly layers: readonly ComparedLayer[] }) {
  const [all, setAll] = useState(false);
  const shown = useMemo(() => (all ? layers : layers.filter((l) => l.kind !== "same")), [layers, all]);
  return (
    <>
      <div class="toolbar">
        <label class="check">
          <input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />
          also what is the same
        </label>
        <span class="count" role="status">
          {shown.length} of {layers.length} rows
        </span>
      </div>
      <DataTable
        label="Layers of both"
        rows={shown}
        columns={columns}
        rowKey={(_, index) => index}
        empty="Both have the same layers, with the same weights."
        muted={(l) => l.kind === "same"}
      />
    </>
  );
}

const said: Readonly<Record<ComparedLayer["kind"], string>> = {
  same: "the same",
  weights: "other weights",
  changed: "",
  replaced: "replaced",
  first: "only in the first",
  second: "only in the second",
};

const sayOf = ({ kind, differs }: ComparedLayer): string =>
  kind === "changed" ? `other ${differs.join(", ")}` : said[kind];

/** Of both, or once where they agree. */
const pairOf = ({ first, second }: ComparedLayer, of: (side: LayerSide) => string): string => {
  const [one, other] = [first && of(first), second && of(second)];
  return one !== undefined && other !== undefined && one !== other
    ? `${one} → ${other}`
    : (one ?? other ?? "");
};

const count = (n: number): string => (n > 0 ? formatCount(n) : "0");
const parameters = (l: ComparedLayer): string => pairOf(l, (s) => count(s.parameters));
const nothing = (text: string): string | undefined => (text === "0" ? undefined : text);

const columns: Column<ComparedLayer>[] = [
  {
    ...{ key: "name", title: "Layer", width: "minmax(11rem, 2fr)" },
    sort: (l) => l.name,
    cell: (l) => <Name>{l.name}</Name>,
  },
  {
    ...{ key: "kind", title: "Second", width: "minmax(9rem, 1.3fr)", wide: true },
    sort: sayOf,
    cell: (l) => <Name>{sayOf(l)}</Name>,
  },
  {
    ...{ key: "op", title: "Operator", width: "minmax(9rem, 1.3fr)", wide: true },
    sort: (l) => pairOf(l, (s) => s.op),
    cell: (l) => <Name>{pairOf(l, (s) => s.op)}</Name>,
  },
  {
    ...{ key: "shape", title: "Makes", width: "minmax(8rem, 1.2fr)", wide: true },
    cell: (l) => <Name>{pairOf(l, (s) => formatShape(s.shape))}</Name>,
  },
  {
    ...{ key: "parameters", title: "Parameters", width: "9.5rem", right: true, wide: true },
    sort: (l) => Math.abs((l.second?.parameters ?? 0) - (l.first?.parameters ?? 0)),
    cell: (l) => nothing(parameters(l)),
  },
  {
    ...{ key: "macs", title: "MACs", width: "9.5rem", right: true, wide: true },
    sort: (l) => numberOf(l.first?.macs),
    cell: (l) => nothing(pairOf(l, (s) => formatDim(s.macs, count))),
  },
  {
    ...{ key: "weights", title: "Weights moved", width: "8.5rem", right: true, wide: true },
    sort: (l) => l.weightChange ?? 0,
    cell: (l) => (l.weightChange ? formatShare(l.weightChange) : undefined),
  },
];

const numberOf = (n: unknown): number => (typeof n === "number" ? n : 0);
