/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey, PractRand) over a state mixed by murmur3's finaliser from any
 * list of integers, so that randomness is a function of (seed, epoch, index) and a resumed run is the same run.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(...keys: readonly number[]) {
    let h = 0x9e3779b9;
    const mix = (k: number) => {
      h = Math.imul(h ^ k, 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h = (h ^ (h >>> 16)) >>> 0;
      return h;
    };
    for (const k of keys) {
      mix(k | 0);
      mix(Math.floor(k / 2 ** 32) | 0);
    }
    this.#a = mix(1);
    this.#b = mix(2);
    this.#c = mix(3);
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** Uniform in 0 … 2³² − 1. */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in 0 … n − 1. */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** A permutation of 0 … n − 1 (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const t = order[i]!;
      order[i] = order[j]!;
      order[j] = t;
    }
    return order;
  }
}
