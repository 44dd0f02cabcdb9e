import { printable } from "scconv";

/** What went wrong, as one paragraph that screen readers read out at once. */
export function Failure({ children }: { readonly children: string }) {
  return (
    <p class="failure" role="alert">
      {printable(children)}
    </p>
  );
}

export function Note({ children }: { readonly children: string }) {
  return <p class="note">{printable(children)}</p>;
}
