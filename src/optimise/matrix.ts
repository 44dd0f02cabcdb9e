/** A small dense matrix, row-major: what the rewrites multiply weights with. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly at: Float64Array;
}

export const matrix = (rows: number, cols: number, f: (i: number, j: number) => number): Matrix => {
  const at = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) at[i * cols + j] = f(i, j);
  return { rows, cols, at };
};

export const get = (m: Matrix, i: number, j: number): number => m.at[i * m.cols + j]!;

/** Rows from … to − 1. */
export const rowsOf = (m: Matrix, from: number, to: number): Matrix =>
  matrix(to - from, m.cols, (i, j) => get(m, from + i, j));
