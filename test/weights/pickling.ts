import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

/** A small assembler of pickles, for those that no well-meaning program writes. */
export const proto = (version = 2): number[] => [0x80, version];
export const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [0x58, bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
};
export const global = (module: string, name: string): number[] => [
  0x63,
  ...new TextEncoder().encode(`${module}\n${name}\n`),
];
export const int = (value: number): number[] => [0x4a, ...new Uint8Array(new Int32Array([value]).buffer)];
export const code = (letters: string): number[] => [...letters].map((c) => c.charCodeAt(0));
export const tuple = (...items: number[][]): number[] => [...code("("), ...items.flat(), ...code("t")];
export const call = (callee: number[], ...args: number[][]): number[] => [
  ...callee,
  ...tuple(...args),
  ...code("R"),
];
export const dict = (entries: readonly (readonly [string, number[]])[]): number[] => [
  ...code("}("),
  ...entries.flatMap(([k, v]) => [...text(k), ...v]),
  ...code("u"),
];
export const stop = code(".");

export interface TensorParts {
  readonly key?: string;
  readonly storage?: number[];
  readonly length?: number;
  readonly offset?: number;
  readonly dims?: readonly number[];
  readonly strides?: readonly number[];
}

export const persistent = ({ key = "0", storage, length = 2 }: TensorParts = {}): number[] => [
  ...tuple(text("storage"), storage ?? global("torch", "FloatStorage"), text(key), text("cpu"), int(length)),
  ...code("Q"),
];

/** A tensor as torch writes it; two float32 in storage "0" unless said otherwise. */
export const tensor = (parts: TensorParts = {}): number[] => {
  const { offset = 0, dims = [2], strides = [1] } = parts;
  return call(
    global("torch._utils", "_rebuild_tensor_v2"),
    persistent(parts),
    int(offset),
    tuple(...dims.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    call(global("collections", "OrderedDict")),
  );
};

export const pickle = (...parts: number[][]): Uint8Array =>
  Uint8Array.from([...proto(), ...parts.flat(), ...stop]);

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  readonly level?: number;
}

export async function zip(files: readonly ZipFile[]): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 0 });
  for (const { name, bytes, level = 0 } of files) {
    await writer.add(name, typeof bytes === "string" ? new TextReader(bytes) : new Uint8ArrayReader(bytes), {
      level,
    });
  }
  return writer.close();
}

/** A file as torch.save writes it, with this pickle and, as storage "0", the floats 1 and 2. */
export const torchZip = (data: Uint8Array, more: readonly ZipFile[] = []): Promise<Uint8Array> =>
  zip([
    { name: "archive/data.pkl", bytes: data },
    { name: "archive/byteorder", bytes: "little" },
    { name: "archive/data/0", bytes: new Uint8Array(new Float32Array([1, 2]).buffer) },
    ...more,
  ]);
