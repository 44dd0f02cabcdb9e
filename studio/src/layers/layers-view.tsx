import { useMemo, useState } from "preact/hooks";
import { formatBytes, formatCount, formatDim, formatShape, type TableRow } from "scconv";
import { first, opened } from "../models/slots.js";
import { type Column, DataTable } from "../parts/data-table.js";
import { Figure } from "../parts/figure.js";
import { Failure } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { ShareBar } from "../parts/share-bar.js";

/** Every layer of the model, with its shape and cost. */
export function LayersView() {
  const model = opened.value!;
  const { table, size, producer, inputs, outputs, open } = model.summary;
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const shown = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return table.layers.filter(
      (l) =>
        (all || l.parameters > 0 || l.macs !== 0) &&
        (wanted === "" || `${l.name} ${l.op}`.toLowerCase().includes(wanted)),
    );
  }, [table, search, all]);
  const columns = useMemo(() => columnsOf(table.layers), [table]);
  const convolutions = table.layers.filter((l) => l.op === "Conv");
  return (
    <>
      <dl class="figures">
        <Figure title="Parameters" before={table.parameters} format={formatCount} />
        <div class="figure">
          <dt>MACs per image</dt>
          <dd>
            <strong>{formatDim(table.macs, formatCount)}</strong>
          </dd>
        </div>
        <Figure title="File" before={size} format={formatBytes} />
        <div class="figure">
          <dt>Can be swapped</dt>
          <dd>
            <strong>{convolutions.filter((l) => l.swappable).length}</strong> of {convolutions.length}{" "}
            convolutions
          </dd>
        </div>
      </dl>
      <p class="facts">
        {inputs.map((i) => (
          <span key={i.name}>
            in <Name>{i.name}</Name> <code>{i.type}</code>
          </span>
        ))}
        {outputs.map((o) => (
          <span key={o.name}>
            out <Name>{o.name}</Name> <code>{o.type}</code>
          </span>
        ))}
        <span>
          operator set {table.opset}
          {producer && (
            <>
              , written by <Name>{producer}</Name>
            </>
          )}
        </span>
      </p>
      {open && <SizeField />}
      {table.uncounted.length > 0 && (
        <Failure>
          {`Not counted: ${table.uncounted.map((u) => `${u.op} ×${u.count} (${u.why})`).join(", ")}`}
        </Failure>
      )}
      <search class="toolbar">
        <label>
          <span class="visually-hidden">Search layers</span>
          <input
            type="search"
            placeholder="Search by name or operator"
            value={search}
            onInput={(e) => setSearch(e.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />
          every node
        </label>
        <span class="count" role="status">
          {shown.length} of {table.layers.length} nodes
        </span>
      </search>
      <DataTable
        label="Layers"
        rows={shown}
        columns={columns}
        rowKey={(_, index) => index}
        empty={
          search ? "No layer has such a name." : "The model has no layers with weights or multiply-adds."
        }
      />
    </>
  );
}

/** Height and width, where the file leaves them open. */
function SizeField() {
  const [size, setSize] = useState("");
  const submit = (e: Event) => {
    e.preventDefault();
    const n = Number(size);
    if (Number.isSafeInteger(n) && n > 0) void first.open(opened.value!.files, n);
  };
  return (
    <form class="toolbar" onSubmit={submit}>
      <label for="size">Some sizes are open in this file. Count at height and width</label>
      <input
        id="size"
        class="number"
        type="number"
        min={1}
        max={8192}
        placeholder="224"
        value={size}
        onInput={(e) => setSize(e.currentTarget.value)}
      />
      <button type="submit" class="outline">
        Count
      </button>
    </form>
  );
}

function columnsOf(layers: readonly TableRow[]): Column<TableRow>[] {
  const number = (n: unknown) => (typeof n === "number" ? n : 0);
  const most = (of: (l: TableRow) => number) => layers.reduce((m, l) => Math.max(m, of(l)), 1);
  const parameters = most((l) => l.parameters);
  const macs = most((l) => number(l.macs));
  return [
    {
      ...{ key: "name", title: "Layer", width: "minmax(10rem, 2fr)" },
      sort: (l) => l.name,
      cell: (l) => <Name>{l.name}</Name>,
    },
    {
      ...{ key: "op", title: "Operator", width: "minmax(6rem, 1fr)" },
      sort: (l) => l.op,
      cell: (l) => <Name>{l.op}</Name>,
    },
    {
      ...{ key: "shape", title: "Shape", width: "minmax(12rem, 1.7fr)", wide: true },
      cell: (l) => <Name>{`${formatShape(l.inputShape)} → ${formatShape(l.outputShape)}`}</Name>,
    },
    {
      ...{ key: "parameters", title: "Parameters", width: "7rem", right: true },
      sort: (l) => l.parameters,
      cell: (l) =>
        l.parameters > 0 ? (
          <ShareBar share={l.parameters / parameters}>{formatCount(l.parameters)}</ShareBar>
        ) : undefined,
    },
    {
      ...{ key: "macs", title: "MACs", width: "7rem", right: true },
      sort: (l) => number(l.macs),
      cell: (l) =>
        l.macs === 0 ? undefined : (
          <ShareBar share={number(l.macs) / macs}>{formatDim(l.macs, formatCount)}</ShareBar>
        ),
    },
    {
      ...{ key: "bytes", title: "Bytes moved", width: "7rem", right: true },
      sort: (l) => l.bytes ?? 0,
      cell: (l) => (l.bytes === undefined ? "?" : formatBytes(l.bytes)),
    },
    {
      ...{ key: "swappable", title: "Swappable", width: "minmax(9rem, 1.4fr)", wide: true },
      sort: (l) => (l.op === "Conv" ? (l.swappable ? 2 : 1) : 0),
      cell: (l) => (l.op === "Conv" ? l.swappable ? "yes" : <Name>{l.reason ?? "no"}</Name> : undefined),
    },
  ];
}
