/** The lines of `classes.txt`; undefined where it holds none. */
export function classNames(text: string): string[] | undefined {
  const names = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim());
  return names[0] === "" ? undefined : names;
}

/** "0" … as names of classes that have none. */
export const numbers = (n: number): string[] => Array.from({ length: n }, (_, i) => `${i}`);

/** One more than the largest class index. */
export const classCount = (...splits: ({ readonly labels: Int32Array } | undefined)[]): number =>
  splits.reduce((n, split) => (split ? split.labels.reduce((m, l) => Math.max(m, l + 1), n) : n), 0);
