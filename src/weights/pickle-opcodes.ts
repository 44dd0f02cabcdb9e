import { type PickleMachine, SAVE_HINT, Tuple } from "./pickle-machine.js";

/** An opcode: its name and code (Lib/pickletools.py), and what it does. */
type Row = readonly [name: string, code: string, act: (m: PickleMachine) => void];

const tuple = (n: number) => (m: PickleMachine) => {
  const items = Array.from({ length: n }, () => m.pop()).reverse();
  m.push(new Tuple(items));
};

const rows: readonly Row[] = [
  [
    "PROTO",
    "\x80",
    (m) => {
      const protocol = m.u8();
      if (protocol < 2 || protocol > 5) throw m.refuse(`pickle protocol ${protocol} is not read here`);
    },
  ],
  // How far the writer's buffer reached.
  ["FRAME", "\x95", (m) => void m.take(8)],
  ["STOP", ".", (m) => m.stop()],
  ["NONE", "N", (m) => m.push(null)],
  ["NEWTRUE", "\x88", (m) => m.push(true)],
  ["NEWFALSE", "\x89", (m) => m.push(false)],
  ["BININT", "J", (m) => m.push(m.i32())],
  ["BININT1", "K", (m) => m.push(m.u8())],
  ["BININT2", "M", (m) => m.push(m.u16())],
  ["LONG1", "\x8a", (m) => m.push(m.integer(m.u8()))],
  ["BINFLOAT", "G", (m) => m.push(m.f64())],
  ["BINUNICODE", "X", (m) => m.push(m.text(m.u32()))],
  ["SHORT_BINUNICODE", "\x8c", (m) => m.push(m.text(m.u8()))],
  ["MARK", "(", (m) => m.mark()],
  ["EMPTY_TUPLE", ")", tuple(0)],
  ["TUPLE1", "\x85", tuple(1)],
  ["TUPLE2", "\x86", tuple(2)],
  ["TUPLE3", "\x87", tuple(3)],
  ["TUPLE", "t", (m) => m.push(new Tuple(m.popToMark()))],
  ["EMPTY_LIST", "]", (m) => m.push([])],
  ["APPEND", "a", (m) => m.append([m.pop()])],
  ["APPENDS", "e", (m) => m.append(m.popToMark())],
  ["EMPTY_DICT", "}", (m) => m.push(new Map())],
  [
    "SETITEM",
    "s",
    (m) => {
      const value = m.pop();
      m.setItems([m.pop(), value]);
    },
  ],
  ["SETITEMS", "u", (m) => m.setItems(m.popToMark())],
  ["BINPUT", "q", (m) => m.remember(m.u8())],
  ["LONG_BINPUT", "r", (m) => m.remember(m.u32())],
  ["MEMOIZE", "\x94", (m) => m.memoize()],
  ["BINGET", "h", (m) => m.recall(m.u8())],
  ["LONG_BINGET", "j", (m) => m.recall(m.u32())],
  ["GLOBAL", "c", (m) => m.global(m.line(), m.line())],
  // INST of protocol 0 names a class to be made, as GLOBAL does: refused by that name, and for a name on the table, too.
  [
    "INST",
    "i",
    (m) => {
      m.global(m.line(), m.line());
      throw m.refuse("the pickle makes an object by INST", { hint: SAVE_HINT });
    },
  ],
  [
    "STACK_GLOBAL",
    "\x93",
    (m) => {
      const name = m.pop();
      const module = m.pop();
      if (typeof name !== "string" || typeof module !== "string") {
        throw m.refuse("the pickle names a function by what is no text");
      }
      m.global(module, name);
    },
  ],
  ["REDUCE", "R", (m) => m.call()],
  ["BUILD", "b", (m) => m.build()],
  ["BINPERSID", "Q", (m) => m.push(m.rules.persistent(m.pop(), m.refuse))],
];

/** What they make no state dict holds: refused by name. */
const refused: Readonly<Record<string, string>> = {
  POP: "0",
  POP_MARK: "1",
  DUP: "2",
  FLOAT: "F",
  INT: "I",
  LONG: "L",
  PERSID: "P",
  STRING: "S",
  BINSTRING: "T",
  SHORT_BINSTRING: "U",
  UNICODE: "V",
  BINBYTES: "B",
  SHORT_BINBYTES: "C",
  DICT: "d",
  GET: "g",
  LIST: "l",
  OBJ: "o",
  PUT: "p",
  NEWOBJ: "\x81",
  EXT1: "\x82",
  EXT2: "\x83",
  EXT4: "\x84",
  LONG4: "\x8b",
  BINUNICODE8: "\x8d",
  BINBYTES8: "\x8e",
  EMPTY_SET: "\x8f",
  ADDITEMS: "\x90",
  FROZENSET: "\x91",
  NEWOBJ_EX: "\x92",
  BYTEARRAY8: "\x96",
  NEXT_BUFFER: "\x97",
  READONLY_BUFFER: "\x98",
};

const acts = new Map(rows.map(([, code, act]) => [code.charCodeAt(0), act]));
const names = new Map(Object.entries(refused).map(([name, code]) => [code.charCodeAt(0), name]));

/** Does what the next opcode says. */
export function step(m: PickleMachine): void {
  const { at } = m;
  const code = m.u8();
  const act = acts.get(code);
  if (!act) {
    const name = names.get(code) ?? `0x${code.toString(16).padStart(2, "0")}`;
    throw m.refuse(`opcode ${name} at byte ${at} of the pickle is not one that a state dict needs`, {
      hint: SAVE_HINT,
    });
  }
  act(m);
}
