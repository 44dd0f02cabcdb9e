/** Names of a million files, as bytes one after the other: a string each would take three times the memory. */
export interface PackedNames {
  readonly length: number;
  add(name: string): void;
  at(index: number): string;
}

export function packedNames(): PackedNames {
  let bytes = Buffer.alloc(1 << 12);
  let ends = new Uint32Array(1 << 8);
  let length = 0;
  const endOf = (i: number) => (i < 0 ? 0 : ends[i]!);
  return {
    get length() {
      return length;
    },
    add(name) {
      const start = endOf(length - 1);
      const size = Buffer.byteLength(name);
      if (start + size > bytes.length) bytes = Buffer.concat([bytes], Math.ceil(1.3 * (start + size)));
      if (length === ends.length) {
        const more = new Uint32Array(Math.ceil(1.3 * length));
        more.set(ends);
        ends = more;
      }
      bytes.write(name, start);
      ends[length++] = start + size;
    },
    at: (index) => bytes.toString("utf8", endOf(index - 1), endOf(index)),
  };
}
