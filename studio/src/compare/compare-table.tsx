import { useMemo, useState } from "preact/hooks";
import { type ComparedLayer, comparedCells } from "scconv";
import { type Column, DataTable } from "../parts/data-table.js";
import { Name } from "../parts/name.js";

/** Layers of both, aligned by their names. */
export function CompareTable({ layers }: { readonly layers: readonly ComparedLayer[] }) {
  const [all, setAll] = useState(false);
  const shown = useMemo(() => (all ? layers : layers.filter((l) => l.kind !== "same")), [layers, all]);
  // Of two files with the same weights, or with none in common, nothing moved.
  const told = useMemo(
    () => columns.filter(({ key }) => key !== "weights" || layers.some((l) => comparedCells(l).moved)),
    [layers],
  );
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
        columns={told}
        rowKey={(_, index) => index}
        empty="Both have the same layers, with the same weights."
        muted={(l) => l.kind === "same"}
      />
    </>
  );
}

const columns: Column<ComparedLayer>[] = [
  {
    ...{ key: "name", title: "Layer", width: "minmax(11rem, 2fr)" },
    sort: (l) => l.name,
    cell: (l) => <Name>{l.name}</Name>,
  },
  {
    ...{ key: "kind", title: "Second", width: "minmax(9rem, 1.3fr)", wide: true },
    sort: (l) => comparedCells(l).second,
    cell: (l) => <Name>{comparedCells(l).second}</Name>,
  },
  {
    ...{ key: "op", title: "Operator", width: "minmax(9rem, 1.3fr)", wide: true },
    sort: (l) => comparedCells(l).op,
    cell: (l) => <Name>{comparedCells(l).op}</Name>,
  },
  {
    ...{ key: "shape", title: "Makes", width: "minmax(8rem, 1.2fr)", wide: true },
    cell: (l) => <Name>{comparedCells(l).makes}</Name>,
  },
  {
    ...{ key: "parameters", title: "Parameters", width: "9.5rem", right: true, wide: true },
    sort: (l) => Math.abs((l.second?.parameters ?? 0) - (l.first?.parameters ?? 0)),
    cell: (l) => comparedCells(l).parameters,
  },
  {
    ...{ key: "macs", title: "MACs", width: "9.5rem", right: true, wide: true },
    sort: (l) => numberOf(l.first?.macs),
    cell: (l) => comparedCells(l).macs,
  },
  {
    ...{ key: "weights", title: "Weights moved", width: "8.5rem", right: true, wide: true },
    sort: (l) => l.weightChange ?? 0,
    cell: (l) => comparedCells(l).moved,
  },
];

const numberOf = (n: unknown): number => (typeof n === "number" ? n : 0);
