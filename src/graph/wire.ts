import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { ScconvError } from "../base/errors.js";
import { limits } from "./limits.js";

/*
 * A look over the bytes of a message, field by field against its schema, before anything is built from them: every length
 * inside its parent, every wire type the schema's, singular fields once, and no more of anything than the limits allow. The
 * protobuf reader trusts lengths and wire types (a nested message may read on into what follows, a length of 2³² + 4 is 4),
 * merges repeated singular fields, and turns two bytes into an object of hundreds: what it and the engine's own reader
 * could understand differently, or could drown in, is refused here.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

interface Rule {
  readonly name: string;
  /** Of one element. */
  readonly wire: number;
  /** Several elements may stand in one length-delimited field. */
  readonly packable: boolean;
  readonly repeated: boolean;
  /** A text that names something. */
  readonly isName: boolean;
  readonly isBytes: boolean;
  readonly message: Schema | undefined;
}

interface Schema {
  readonly name: string;
  readonly rules: Map<number, Rule>;
}

export interface WireCounts {
  /** Tensors whose data is said to lie in another file, wherever they are (sub-graphs, functions, sparse tensors …). */
  readonly externals: number;
}

const schemas = new Map<string, Schema>();

function schemaOf(message: DescMessage): Schema {
  const known = schemas.get(message.typeName);
  if (known) return known;
  const schema: Schema = { name: message.name, rules: new Map() };
  // Entered before its fields: messages contain themselves.
  schemas.set(message.typeName, schema);
  for (const field of message.fields) schema.rules.set(field.number, ruleOf(field, message));
  return schema;
}

const freeTexts = new Set(["StringStringEntryProto.value"]);

function ruleOf(field: DescField, { name }: DescMessage): Rule {
  const scalar = "scalar" in field ? field.scalar : undefined;
  const wire = field.message ? LENGTH : wireOf(scalar);
  const repeated = field.fieldKind === "list";
  return {
    name: `${name}.${field.name}`,
    wire,
    repeated,
    packable: repeated && wire !== LENGTH,
    isName:
      scalar === ScalarType.STRING && field.name !== "doc_string" && !freeTexts.has(`${name}.${field.name}`),
    isBytes: scalar === ScalarType.BYTES,
    message: field.message ? schemaOf(field.message) : undefined,
  };
}

function wireOf(scalar: ScalarType | undefined): number {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return LENGTH;
  if (scalar === ScalarType.FLOAT) return FIXED32;
  return scalar === ScalarType.DOUBLE ? FIXED64 : VARINT;
}

const damaged = (what: string, at: number): ScconvError =>
  new ScconvError("not-an-onnx-file", `the bytes are damaged or truncated: ${what} at byte ${at}`);

const tooMuch = (what: string, need: string, got: string): ScconvError =>
  new ScconvError("unsupported", `more than a model has: ${what}`, { need, got });

/** Throws `not-an-onnx-file` (damaged) or `unsupported` (beyond a limit). Takes time in proportion to the bytes, and no memory. */
export function checkWire(bytes: Uint8Array, message: DescMessage): WireCounts {
  if (bytes.length > limits.fileBytes)
    throw tooMuch("bytes in one file", `at most ${limits.fileBytes}`, `${bytes.length}`);
  /** Where each open message ends, what it is, and which of its singular fields were seen. */
  const ends = [bytes.length];
  const open = [schemaOf(message)];
  const seen = [0];
  let [at, messages, nodes, integers, texts, externals] = [0, 0, 0, 0, 0, 0];

  const readVarint = (end: number): number => {
    const start = at;
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= end) throw damaged("a number that does not end", start);
      if (at - start === 10) throw damaged("a number of more than 10 bytes", start);
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  const readLength = (end: number, name: string): number => {
    const start = at;
    const length = readVarint(end);
    // Above 2⁵³ the sum is rounded, and still far above what is left.
    if (at - start > 5 || length > end - at) {
      throw damaged(`${name} says that it has ${length} bytes, and ${end - at} are left,`, start);
    }
    return length;
  };
  const count = (n: number): void => {
    integers += n;
    if (integers > limits.integers) {
      throw tooMuch("numbers outside raw_data", `at most ${limits.integers}`, "more");
    }
  };

  const countObject = (): void => {
    if (++messages > limits.messages) throw tooMuch("messages", `at most ${limits.messages}`, "more");
  };

  for (;;) {
    const top = ends.length - 1;
    const end = ends[top]!;
    if (at === end) {
      if (top === 0) return { externals };
      ends.pop();
      open.pop();
      seen.pop();
      continue;
    }
    const start = at;
    const tag = readVarint(end);
    if (at - start > 5 || tag > 0xffffffff || tag < 8) throw damaged("no field", start);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    const schema = open[top]!;
    const rule = schema.rules.get(number);
    const name = rule?.name ?? `unknown field ${number} of ${schema.name}`;
    if (wire === 3 || wire === 4) throw damaged(`${name} is a group, of which ONNX has none,`, start);
    if (rule && wire !== rule.wire && !(rule.packable && wire === LENGTH)) {
      throw damaged(`${name} has wire type ${wire}`, start);
    }
    if (rule && !rule.repeated) {
      const bit = 1 << (number & 31);
      if (seen[top]! & bit) throw damaged(`${name} is there twice, the second time`, start);
      seen[top]! |= bit;
    }
    // Each becomes an object, as a message does.
    if (!rule || rule.isBytes) countObject();
    if (wire === VARINT) {
      const value = readVarint(end);
      if (rule?.repeated) count(1);
      if (rule?.name === "TensorProto.data_location" && value === 1) externals++;
    } else if (wire === LENGTH) {
      const length = readLength(end, name);
      if (rule?.message) {
        countObject();
        if (rule.message.name === "NodeProto" && ++nodes > limits.nodes) {
          throw tooMuch("nodes", `at most ${limits.nodes}`, "more");
        }
        if (ends.length > limits.depth)
          throw tooMuch("messages inside messages", `at most ${limits.depth} deep`, "more");
        ends.push(at + length);
        open.push(rule.message);
        seen.push(0);
        continue;
      }
      if (rule?.packable && rule.wire === VARINT) {
        count(packedVarints(bytes, at, at + length, name));
      } else if (rule?.packable) {
        const width = rule.wire === FIXED32 ? 4 : 8;
        if (length % width !== 0) throw damaged(`${name} is no whole number of elements`, start);
      } else if (rule?.repeated && ++texts > limits.texts) {
        throw tooMuch("texts", `at most ${limits.texts}`, "more");
      } else if (rule?.isName && length > limits.nameBytes) {
        throw tooMuch(`a name (${name})`, `at most ${limits.nameBytes} bytes`, `${length}`);
      }
      at += length;
    } else if (wire === FIXED32 || wire === FIXED64) {
      at += wire === FIXED32 ? 4 : 8;
      if (at > end) throw damaged(`${name} is cut off`, start);
    } else throw damaged(`${name} has wire type ${wire}`, start);
  }
}

/** How many numbers stand in `from … to`; each ends with the first byte below 128. */
function packedVarints(bytes: Uint8Array, from: number, to: number, name: string): number {
  let n = 0;
  let run = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i]! >= 0x80) {
      if (++run === 10) throw damaged(`${name} has a number of more than 10 bytes`, i);
    } else {
      run = 0;
      n++;
    }
  }
  if (run > 0) throw damaged(`${name} has a number that does not end`, to);
  return n;
}
