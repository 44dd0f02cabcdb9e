import { formatChange } from "scconv";

interface Props {
  readonly title: string;
  readonly before: number;
  readonly after?: number | undefined;
  format(n: number): string;
}

/** A number; with `after`, what becomes of it. */
export function Figure({ title, before, after, format }: Props) {
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
            <span class={`change ${after < before ? "less" : after > before ? "more" : ""}`}>
              {formatChange(before, after)}
            </span>
          </>
        ) : (
          <strong>{format(before)}</strong>
        )}
      </dd>
    </div>
  );
}
