import { printable } from "scconv";

/** A name from a file: data, whatever signs it holds. */
export function Name({ children, title = true }: { readonly children: string; readonly title?: boolean }) {
  const text = printable(children, 300);
  return (
    <span class="name" title={title ? text : undefined}>
      {text}
    </span>
  );
}
