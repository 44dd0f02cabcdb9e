import { formatChange } from "scconv";

interface Props {
  readonly title: string;
  readonly before: number;
  readonly after?: number | undefined;
  /** A share in per cent, whose change is one in points: more is better. */
  readonly points?: boolean;
  format(n: number): string;
}

/** A number; with `after`, what becomes of it. */
export function Figure({ title, before, after, points = false, format }: Props) {
  const changed = after !== undefined;
  return (
    <div class="figure">
      <dt>{title}</dt>
      <dd>
        {changed ? (
          <>
            <span class="before">{format(before)}</span>
            <span aria-hidden="true"> → </span>
            <span class="visually-hidden">becomes</span>
            <strong>{format(after)}</strong>
            <span class={`change ${toneOf(points ? before - after : after - before)}`}>
              {points ? inPoints(after - before) : formatChange(before, after)}
            </span>
          </>
        ) : (
          <strong>{format(before)}</strong>
        )}
      </dd>
    </div>
  );
}

const inPoints = (change: number): string => `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(2)} points`;

const toneOf = (change: number): string => (change < 0 ? "less" : change > 0 ? "more" : "");
