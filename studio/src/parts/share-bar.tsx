/** A number with a bar behind it: its share of the largest. */
export function ShareBar({ share, children }: { readonly share: number; readonly children: string }) {
  return (
    <span class="share">
      <span class="share-bar" style={{ inlineSize: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
      <span>{children}</span>
    </span>
  );
}
