import { Random } from "../dist/base/random.js";

/** Numbers at which programs break. */
export const edges = [
  0,
  1,
  -1,
  2,
  3,
  4,
  7,
  64,
  127,
  128,
  255,
  65535,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 32,
  2 ** 40,
];

export class Dice extends Random {
  pick(list) {
    return list[this.int(list.length)];
  }
  chance(p) {
    return this.next() < p;
  }
}
