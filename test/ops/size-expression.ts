import type { Dim } from "../../src/base/dims.js";

/** The number behind a symbolic size such as `(H+1)/2` or `8·N`; undefined where it has a part that nobody named. */
export function sizeValue(dim: Dim, sizes: ReadonlyMap<string, number>): number | undefined {
  if (typeof dim === "number") return dim;
  if (dim.includes("?")) return undefined;
  const tokens = dim.match(/\d+|[A-Za-z_]\w*|[()+\-·/]/g) ?? [];
  let at = 0;
  const sum = (round: (x: number) => number): number => {
    let value = product(round);
    while (tokens[at] === "+" || tokens[at] === "-") {
      value += tokens[at++] === "+" ? product(round) : -product(round);
    }
    return value;
  };
  const product = (round: (x: number) => number): number => {
    let value = atom();
    while (tokens[at] === "·" || tokens[at] === "/") {
      value = tokens[at++] === "·" ? value * atom() : round(value / atom());
    }
    return value;
  };
  const atom = (): number => {
    const token = tokens[at++]!;
    if (token === "(" || token === "ceil") {
      if (token === "ceil") at++;
      const value = sum(token === "ceil" ? Math.ceil : Math.floor);
      at++;
      return value;
    }
    return /^\d/.test(token) ? Number(token) : sizes.get(token)!;
  };
  return sum(Math.floor);
}
