/**
 * TensorFlow's record files: length (8 bytes), its checksum (4), the record, its checksum (4), little-endian. Checksums are
 * CRC-32C, rotated and shifted, so that a record that holds a checksum does not check itself.
 *
 * The fifteen lines of CRC-32C are our own: the one package for it that is pure, typed and kept brings five others.
 */

/** Castagnoli's polynomial, reflected. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = (c >>> 8) ^ table[(c ^ b) & 255]!;
  return (c ^ 0xffffffff) >>> 0;
}

function masked(bytes: Uint8Array): number {
  const c = crc32c(bytes);
  return (((c >>> 15) | (c << 17)) + 0xa282ead8) >>> 0;
}

const HEAD = 12;
const TAIL = 4;

export function encodeRecord(record: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD + record.length + TAIL);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(record.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(record, HEAD);
  view.setUint32(HEAD + record.length, masked(record), true);
  return out;
}

/** The records of a file, up to the first that is cut off or damaged: a writer may have been killed. Views of it. */
export function decodeRecords(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at + HEAD + TAIL <= file.length; ) {
    if (view.getUint32(at + 8, true) !== masked(file.subarray(at, at + 8))) break;
    const length = Number(view.getBigUint64(at, true));
    const end = at + HEAD + length;
    if (end + TAIL > file.length) break;
    const record = file.subarray(at + HEAD, end);
    if (view.getUint32(end, true) !== masked(record)) break;
    records.push(record);
    at = end + TAIL;
  }
  return records;
}
