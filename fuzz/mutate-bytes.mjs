import { edges } from "./random.mjs";

/** One to eight changes of the bytes themselves, as libFuzzer makes them; `other` is another input, to splice with. */
export function mutateBytes(bytes, other, dice) {
  let out = Buffer.from(bytes);
  for (let n = dice.int(8); n >= 0; n--) out = change(out, other, dice);
  return out.subarray(0, 1 << 20);
}

function change(bytes, other, dice) {
  const at = dice.int(bytes.length + 1);
  const span = Math.min(bytes.length - at, 1 + dice.int(dice.chance(0.9) ? 16 : 512));
  const insert = (middle, skip = 0) =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + skip)]);
  switch (dice.int(8)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << dice.int(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.int(256)]);
      return bytes;
    case 2:
      return insert(Buffer.alloc(0), span);
    case 3:
      return insert(bytes.subarray(at, at + span));
    case 4:
      return insert(Buffer.from(Array.from({ length: span }, () => dice.int(256))), span);
    case 5:
      return insert(varint(dice.pick(edges)), dice.int(3));
    case 6: {
      const from = dice.int(other.length + 1);
      return insert(other.subarray(from, from + 1 + dice.int(256)), dice.chance(0.5) ? span : 0);
    }
    default:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(dice.int(other.length + 1))]);
  }
}

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
