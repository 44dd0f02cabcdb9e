/** Records whose pixel at (c, p) is (p + 50 c + record) mod 256. */
export function cifarFile(labels: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    labels.flatMap((label, r) => [
      ...label,
      ...Array.from({ length: 3072 }, (_, i) => ((i % 1024) + 50 * Math.floor(i / 1024) + r) % 256),
    ]),
  );
}
