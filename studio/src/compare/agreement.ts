import { formatSigned } from "scconv";

/** How far two classifiers agree on an image; undefined where their scores are not of the same classes. */
export function agreementOf(
  one: ArrayLike<number> | undefined,
  other: ArrayLike<number> | undefined,
): string | undefined {
  if (!one || !other) return undefined;
  if (one.length !== other.length)
    return `Their scores cannot be compared: ${one.length} and ${other.length} classes.`;
  const [first, second] = [largest(one), largest(other)];
  let [apart, inner, a, b] = [0, 0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    apart = Math.max(apart, Math.abs(one[i]! - other[i]!));
    inner += one[i]! * other[i]!;
    a += one[i]! ** 2;
    b += other[i]! ** 2;
  }
  const cosine = a > 0 && b > 0 ? inner / Math.sqrt(a * b) : undefined;
  const common = first.filter((i) => second.includes(i)).length;
  return [
    first[0] === second[0]
      ? `Both say class ${first[0]}`
      : `They disagree: class ${first[0]}, class ${second[0]}`,
    `${common} of the ${first.length} largest are the same`,
    `scores apart by at most ${apart.toPrecision(3)}`,
    ...(cosine === undefined ? [] : [`cosine ${formatSigned(cosine, 4)}`]),
  ].join(" · ");
}

/** Indices of the five largest. */
const largest = (scores: ArrayLike<number>): number[] =>
  Array.from(scores, (score, index) => ({ score, index }))
    .sort((x, y) => y.score - x.score)
    .slice(0, 5)
    .map(({ index }) => index);
