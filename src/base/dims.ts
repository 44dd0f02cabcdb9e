/**
 * Dimensions: a number, or the text of a symbolic size (`N`, `(H+1)/2`). Two symbols are the same size exactly when
 * their texts are equal. Texts that start with `?` are sizes that nobody named; they are not written to files.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** More than anybody reads. Without a bound x + x, forty times over, would be a text of 2⁴⁰ letters. */
const longestText = 512;
const bounded = (text: string): Dim => (text.length > longestText ? unknownDim() : text);

let unknowns = 0;
/** A size about which nothing is known; different from every other. */
export const unknownDim = (): Dim => `?${unknowns++}`;

export const isStatic = (shape: Shape): shape is readonly number[] =>
  shape.every((d) => typeof d === "number");

/** The symbols in a size; `ceil(` is none. */
export const symbolsIn = (d: Dim): readonly string[] => `${d}`.match(/\?\d+|\b[A-Za-z_]\w*\b(?!\()/g) ?? [];

const longestToRead = 60;
/** A size as people read it: of a long expression what it depends on, `f(H, W)`. */
export const formatSize = (size: string): string =>
  size.length <= longestToRead ? size : `f(${[...new Set(symbolsIn(size))].join(", ")})`;

export const formatShape = (shape: Shape | undefined): string =>
  shape === undefined
    ? "?"
    : shape.length === 0
      ? "scalar"
      : shape.map((d) => (typeof d === "number" ? d : d.startsWith("?") ? "?" : formatSize(d))).join("×");

/** Factors of a product (`N·ceil(H/2)·(W+1)`: names, calls and sums in parentheses); undefined of every other expression. */
export function factorsOf(text: string): readonly string[] | undefined {
  const found: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "(") depth++;
    else if (c === ")") depth--;
    else if (depth === 0 && c === "·") {
      found.push(text.slice(start, i));
      start = i + 1;
    } else if (depth === 0 && !/[\w.?]/.test(c)) return undefined;
    if (depth < 0) return undefined;
  }
  found.push(text.slice(start));
  return depth === 0 && found.every((f) => f !== "") ? found : undefined;
}

const atom = (d: string): string => (factorsOf(d) ? d : `(${d})`);

/** 8·N·M as [8, N·M]. */
function coefficient(d: Dim): [number, string] {
  if (typeof d === "number") return [d, ""];
  const [, head, rest] = /^(\d+)·(.+)$/.exec(d) ?? [];
  return head && factorsOf(rest!) ? [Number(head), rest!] : [1, d];
}

/** a + b. */
export function addDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  if (typeof b === "number" && typeof a === "string") {
    const tail = /^(.*?[^+\-/·(])([+-]\d+)$/.exec(a);
    if (tail) return addDim(tail[1]!, Number(tail[2]) + b);
    return bounded(b < 0 ? `${a}-${-b}` : `${a}+${b}`);
  }
  if (typeof a === "number") return addDim(b, a);
  return bounded(`${a}+${b}`);
}

/** a · b; the number comes first. */
export function mulDim(a: Dim, b: Dim): Dim {
  const [n, left] = coefficient(a);
  const [m, right] = coefficient(b);
  const number = n * m;
  const text = [left, right].filter(Boolean).map(atom).join("·");
  if (text === "" || number === 0) return number;
  if (number === 1) return [left, right].filter(Boolean).length === 1 ? left || right : bounded(text);
  return bounded(`${number}·${text}`);
}

/** ⌊a / b⌋ (or ⌈a / b⌉). */
export function divDim(a: Dim, b: number, ceil = false): Dim {
  if (b === 1) return a;
  if (typeof a === "number") return ceil ? Math.ceil(a / b) : Math.floor(a / b);
  const [n, rest] = coefficient(a);
  if (n % b === 0) return mulDim(rest, n / b);
  const quotient = `${/^[\w.?]+$/.test(a) ? a : `(${a})`}/${b}`;
  return bounded(ceil ? `ceil(${quotient})` : quotient);
}

/** Product of all sizes. */
export const productDim = (shape: Shape): Dim => shape.reduce<Dim>(mulDim, 1);

/** The shape of numpy-style broadcasting, or undefined where known sizes disagree. */
export function broadcastShapes(...shapes: Shape[]): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let dim: Dim = 1;
    for (const shape of shapes) {
      const d = shape[axis - rank + shape.length] ?? 1;
      if (d === dim || d === 1) continue;
      if (dim === 1) dim = d;
      else if (typeof dim === "string") dim = typeof d === "number" ? d : unknownDim();
      else if (typeof d === "number") return undefined;
    }
    out.push(dim);
  }
  return out;
}
