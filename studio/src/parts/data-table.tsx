import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { useNarrow } from "./use-narrow.js";
import { useVirtual } from "./use-virtual.js";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** A track of the grid. */
  readonly width: string;
  readonly right?: boolean;
  /** On a phone it gets a line of its own. */
  readonly wide?: boolean;
  /** What rows are sorted by; largest number first, texts from a. */
  readonly sort?: (row: Row) => number | string;
  /** Undefined where there is nothing to say. */
  readonly cell: (row: Row) => ComponentChildren | undefined;
}

interface Props<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  /** The first names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row, index: number) => string | number;
  readonly empty: string;
  readonly muted?: (row: Row) => boolean;
}

interface Sort {
  readonly key: string;
  readonly down: boolean;
}

const ROW = 34;

/** A table of any length: rows of one height, of which only those in sight are in the page. On a phone each row is a card. */
export function DataTable<Row>({ label, rows, columns: all, rowKey, empty, muted }: Props<Row>) {
  const narrow = useNarrow();
  // A title without a value in every card would be a line for nothing.
  const columns = useMemo(() => (narrow ? all.filter(saysSomething(rows)) : all), [narrow, all, rows]);
  const [sort, setSort] = useState<Sort>();
  const sorted = useMemo(() => order(rows, columns, sort), [rows, columns, sort]);
  const wide = columns.filter((c) => c.wide).length;
  const cardHeight = 44 + (wide + Math.ceil((columns.length - 1 - wide) / 2)) * 24;
  const { scroller, items, height, toTop } = useVirtual(sorted.length, narrow ? cardHeight : ROW);
  // With the rows themselves: later, it would take back what was scrolled since. Rows that only say something else stay where they are.
  useLayoutEffect(toTop, [sort, rows.length]);
  const tracks = { gridTemplateColumns: columns.map((c) => c.width).join(" ") };
  const turn = ({ key, sort: by }: Column<Row>) => {
    if (!by) return;
    setSort((s) => (s?.key !== key ? { key, down: true } : s.down ? { key, down: false } : undefined));
  };
  return (
    <div class={`data-table ${narrow ? "cards" : ""}`}>
      {narrow && <SortMenu columns={columns} sort={sort} onSort={setSort} />}
      <div
        class="scroller"
        ref={scroller}
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        tabIndex={0}
      >
        <div role="rowgroup" class="head">
          <div role="row" class="row" style={narrow ? {} : tracks} aria-rowindex={1}>
            {columns.map((c) => (
              <div
                key={c.key}
                role="columnheader"
                class={c.right ? "right" : ""}
                aria-sort={sort?.key === c.key ? (sort.down ? "descending" : "ascending") : "none"}
              >
                {c.sort ? (
                  <button type="button" class="sort" onClick={() => turn(c)}>
                    {c.title}
                    <span aria-hidden="true">{sort?.key === c.key ? (sort.down ? " ↓" : " ↑") : ""}</span>
                  </button>
                ) : (
                  c.title
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="body" style={{ height: `${height}px` }}>
          {items.map(({ index, start, size }) => {
            const row = sorted[index];
            if (row === undefined) return null;
            return (
              <div
                key={rowKey(row, index)}
                role="row"
                class={`row ${muted?.(row) ? "muted" : ""}`}
                aria-rowindex={index + 2}
                style={{
                  ...(narrow ? {} : tracks),
                  height: `${size}px`,
                  transform: `translateY(${start}px)`,
                }}
              >
                {columns.map((c) => (
                  <div key={c.key} role="cell" class={`${c.right ? "right" : ""} ${c.wide ? "wide" : ""}`}>
                    {narrow && c !== columns[0] && <span class="cell-title">{c.title}</span>}
                    {c.cell(row) ?? (narrow && "–")}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        {sorted.length === 0 && <p class="nothing">{empty}</p>}
      </div>
    </div>
  );
}

const saysSomething =
  <Row,>(rows: readonly Row[]) =>
  (column: Column<Row>, index: number): boolean =>
    index === 0 || rows.length === 0 || rows.some((row) => column.cell(row) !== undefined);

function order<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const by = columns.find((c) => c.key === sort?.key)?.sort;
  if (!by || !sort) return rows;
  const sign = sort.down ? 1 : -1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((a, b) => sign * compare(a.value, b.value))
    .map(({ row }) => row);
}

const compare = (a: number | string, b: number | string): number =>
  typeof a === "number" && typeof b === "number" ? b - a : texts.compare(`${a}`, `${b}`);

/** Made once: with `localeCompare`, which looks for its rules every time, ten thousand rows take several times as long. */
const texts = new Intl.Collator("en", { numeric: true });

function SortMenu<Row>({
  columns,
  sort,
  onSort,
}: {
  columns: readonly Column<Row>[];
  sort: Sort | undefined;
  onSort(sort: Sort | undefined): void;
}) {
  return (
    <label class="sort-menu">
      Sort by
      <select
        value={sort?.key ?? ""}
        onChange={(e) =>
          onSort(e.currentTarget.value ? { key: e.currentTarget.value, down: true } : undefined)
        }
      >
        <option value="">order in the graph</option>
        {columns
          .filter((c) => c.sort)
          .map((c) => (
            <option key={c.key} value={c.key}>
              {c.title}
            </option>
          ))}
      </select>
    </label>
  );
}
