import { ScconvError } from "../base/errors.js";

/** What a pickle holds: dictionaries are `Map`, lists are arrays, tuples `Tuple`; the rest is what the table's functions made. */
export type Pickled = unknown;

export class Tuple {
  constructor(readonly items: readonly Pickled[]) {}
}

/** A name on the table: what it stands for, and what calling it makes. */
export interface Global {
  readonly name: string;
  readonly call?: (args: readonly Pickled[], refuse: Refuse) => Pickled;
}

/** Makes the error that says what of a file was not accepted. */
export type Refuse = (what: string, facts?: { got?: string; need?: string; hint?: string }) => ScconvError;

export interface PickleRules {
  readonly where: string;
  readonly globals: ReadonlyMap<string, Global>;
  /** What a persistent id stands for: data that is kept outside of the pickle. */
  readonly persistent: (id: Pickled, refuse: Refuse) => Pickled;
}

/** A state dict of 10,000 tensors is about a megabyte of pickle. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_STACK = 1_000_000;
const MAX_MARKS = 1000;
const MAX_NAME = 1000;

const asciiOf = new TextDecoder("latin1");
const utf8Of = new TextDecoder("utf-8", { fatal: true });

/** One reading: a stack of values, a stack of marks into it, and the values that later opcodes refer back to. */
export class PickleMachine {
  readonly refuse: Refuse;
  readonly #view: DataView;
  #at = 0;
  #stack: Pickled[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Pickled>();
  done = false;
  result: Pickled;

  constructor(
    readonly bytes: Uint8Array,
    readonly rules: PickleRules,
  ) {
    const { where } = rules;
    this.refuse = (what, facts = {}) => new ScconvError("bad-input", what, { where, ...facts });
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength > MAX_BYTES) {
      throw this.refuse("the pickle is too large", {
        got: `${bytes.byteLength} bytes`,
        need: `at most ${MAX_BYTES}`,
      });
    }
  }

  /** Bytes read so far. */
  get at(): number {
    return this.#at;
  }

  /** The next n bytes. */
  take(n: number): Uint8Array {
    if (n > this.bytes.byteLength - this.#at) {
      throw this.refuse(`the pickle is cut short at byte ${this.#at}`);
    }
    this.#at += n;
    return this.bytes.subarray(this.#at - n, this.#at);
  }
  u8(): number {
    return this.take(1)[0]!;
  }
  u16(): number {
    return this.#view.getUint16(this.#place(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#place(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#place(4), true);
  }
  /** Big-endian, unlike everything else. */
  f64(): number {
    return this.#view.getFloat64(this.#place(8), false);
  }
  #place(n: number): number {
    return this.take(n).byteOffset - this.bytes.byteOffset;
  }
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8Of.decode(bytes);
    } catch {
      throw this.refuse("the pickle holds text that is not UTF-8");
    }
  }
  line(): string {
    const end = this.bytes.subarray(this.#at, this.#at + MAX_NAME).indexOf(10);
    if (end < 0) throw this.refuse(`the pickle is cut short at byte ${this.#at}`);
    const text = asciiOf.decode(this.take(end));
    this.#at++;
    return text;
  }
  /** Little-endian two's complement of any length; a number where it is exact. */
  integer(length: number): number | bigint {
    let value = 0n;
    const bytes = this.take(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    const signed = BigInt.asIntN(8 * Math.max(1, length), value);
    return signed >= -(2n ** 53n) && signed <= 2n ** 53n ? Number(signed) : signed;
  }

  push(value: Pickled): void {
    if (this.#stack.length >= MAX_STACK) throw this.refuse("the pickle stacks too many values");
    this.#stack.push(value);
  }
  pop(): Pickled {
    // Nothing reaches below the latest mark: whoever wants what is there takes it by the mark.
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      throw this.refuse(`the pickle takes a value that nobody gave, at byte ${this.#at - 1}`);
    }
    return this.#stack.pop();
  }
  top(): Pickled {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }
  mark(): void {
    if (this.#marks.length >= MAX_MARKS) throw this.refuse("the pickle nests too deeply");
    this.#marks.push(this.#stack.length);
  }
  popToMark(): Pickled[] {
    const mark = this.#marks.pop();
    if (mark === undefined) {
      throw this.refuse(`the pickle takes values that nobody gave, at byte ${this.#at - 1}`);
    }
    return this.#stack.splice(mark);
  }
  remember(index: number): void {
    this.#memo.set(index, this.top());
  }
  memoize(): void {
    this.remember(this.#memo.size);
  }
  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.refuse(`the pickle refers to value ${index}, which is not there`);
    this.push(this.#memo.get(index));
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    const known = this.rules.globals.get(full);
    if (!known) {
      throw this.refuse(`"${full}" in the pickle would run code`, {
        need: "tensors in plain dictionaries",
        hint: SAVE_HINT,
      });
    }
    this.push(known);
  }
  call(): void {
    const args = this.pop();
    const callee = this.pop() as Global;
    const call = isGlobal(callee, this.rules) ? callee.call : undefined;
    if (!call || !(args instanceof Tuple)) throw this.refuse("the pickle calls what is no function");
    this.push(call(args.items, this.refuse));
  }
  setItems(items: readonly Pickled[]): void {
    const target = this.top();
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw this.refuse("the pickle sets entries of what is no dictionary");
    }
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }
  append(items: readonly Pickled[]): void {
    const target = this.top();
    if (!Array.isArray(target)) throw this.refuse("the pickle appends to what is no list");
    for (const item of items) target.push(item);
  }
  /** Attributes of an OrderedDict (torch keeps versions of modules there): nothing that we read. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map))
      throw this.refuse("the pickle sets attributes of what is no dictionary");
  }
  stop(): void {
    this.result = this.pop();
    this.done = true;
  }
}

const isGlobal = (value: unknown, { globals }: PickleRules): value is Global =>
  typeof value === "object" && value !== null && globals.get((value as Global).name) === value;

export const SAVE_HINT = 'in Python, save the weights alone: torch.save(model.state_dict(), "weights.pt")';
