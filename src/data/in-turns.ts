/** The first of every list, then the second of every list …, each with its list: from the start on a fair sample of all of them. */
export function* inTurns<T>(lists: readonly (readonly T[])[]): Generator<readonly [list: number, item: T]> {
  const longest = lists.reduce((most, list) => Math.max(most, list.length), 0);
  for (let i = 0; i < longest; i++) {
    for (const [at, list] of lists.entries()) if (i < list.length) yield [at, list[i]!];
  }
}
