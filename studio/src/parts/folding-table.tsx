import type { ComponentChildren } from "preact";
import { useNarrow } from "./use-narrow.js";

interface Props<Row> {
  readonly label: string;
  /** Above the names of the rows. */
  readonly title: string;
  readonly rows: readonly Row[];
  readonly nameOf: (row: Row) => ComponentChildren;
  readonly figures: readonly FigureOf<Row>[];
}

/** Undefined where a row has no such figure. */
export type FigureOf<Row> = readonly [
  title: string,
  of: (row: Row, index: number) => ComponentChildren | undefined,
];

/** A table of a few rows. On a phone each row is a list of its figures. */
export function FoldingTable<Row>({ label, title, rows, nameOf, figures }: Props<Row>) {
  if (useNarrow()) {
    return (
      <section aria-label={label}>
        {rows.map((row, i) => (
          <section key={i} class="folded">
            <h3>{nameOf(row)}</h3>
            <dl>
              {figures.map(([of, figure]) => {
                const value = figure(row, i);
                return value === undefined ? null : (
                  <div key={of}>
                    <dt>{of}</dt>
                    <dd>{value}</dd>
                  </div>
                );
              })}
            </dl>
          </section>
        ))}
      </section>
    );
  }
  return (
    <section class="wide-table" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {[title, ...figures.map(([of]) => of)].map((of) => (
              <th key={of} scope="col">
                {of}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              <th scope="row">{nameOf(row)}</th>
              {figures.map(([of, figure]) => (
                <td key={of}>{figure(row, i)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
