import { fromBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { openEventLog } from "../../src/train/event-log.js";
import { EventSchema } from "../../src/train/gen/events_pb.js";
import { crc32c, decodeRecords, encodeRecord } from "../../src/train/record-file.js";
import { memoryStore } from "./tiny.js";

const text = (s: string) => new TextEncoder().encode(s);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

it("checks by CRC-32C, of RFC 3720's examples", () => {
  expect(crc32c(text("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

it("writes the bytes that TensorBoard reads", async () => {
  const store = memoryStore();
  const log = await openEventLog(store, { resume: false, now: () => 1700000000.5 });
  await log.scalars(50, { "train/loss": 0.5, "eval/top1": 91.25 });
  expect([...store.files.keys()]).toEqual(["events.out.tfevents.1700000000.scconv.0"]);
  // Read by tensorboard 2.21.0 (`EventFileLoader`): version brain.Event:2, then step 50, loss 0.5, top1 91.25.
  expect(hex([...store.files.values()][0]!)).toMatchInlineSnapshot(
    `"1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d3200000000000000241956ec0900002040fc54d94110322a250a110a0a747261696e2f6c6f7373150000003f0a100a096576616c2f746f7031150080b64266b8ca11"`,
  );
});

async function logged(store: ReturnType<typeof memoryStore>) {
  const names = (await store.list()).slice().sort();
  return names.map((name) =>
    decodeRecords(store.files.get(name)!).flatMap((r) => {
      const { step, what } = fromBinary(EventSchema, r);
      return what.case === "summary" ? what.value.value.map((v) => `${step} ${v.tag} ${v.value.value}`) : [];
    }),
  );
}

it("goes on in another file, and writes nothing twice", async () => {
  const store = memoryStore();
  let time = 100;
  const now = () => time++;
  const first = await openEventLog(store, { resume: false, now });
  await first.scalars(1, { a: 1 });
  await first.scalars(2, { a: 2, b: 20 });
  const second = await openEventLog(store, { resume: true, now });
  await second.scalars(2, { a: 2, b: 20, c: 200 });
  await second.scalars(3, { a: 3, b: 30 });
  await second.scalars(3, { a: 3 });
  expect(await logged(store)).toEqual([
    ["1 a 1", "2 a 2", "2 b 20"],
    ["2 c 200", "3 a 3", "3 b 30"],
  ]);
});

it("writes again what was cut off, and leaves no file of an earlier run to a new one", async () => {
  const store = memoryStore();
  const first = await openEventLog(store, { resume: false, now: () => 7 });
  await first.scalars(1, { a: 1 });
  await first.scalars(2, { a: 2 });
  const [name] = await store.list();
  await store.write(name!, store.files.get(name!)!.slice(0, -1));
  const second = await openEventLog(store, { resume: true, now: () => 7 });
  await second.scalars(2, { a: 2 });
  expect(await logged(store)).toEqual([["1 a 1"], ["2 a 2"]]);
  await openEventLog(store, { resume: false });
  expect(await store.list()).toEqual([]);
});

it("reads records up to the first damaged one", () => {
  const [a, b] = [encodeRecord(text("one")), encodeRecord(text("two"))];
  const file = Uint8Array.from([...a, ...b]);
  const read = (bytes: Uint8Array) => decodeRecords(bytes).map((r) => new TextDecoder().decode(r));
  expect(read(file)).toEqual(["one", "two"]);
  for (let cut = 1; cut <= b.length; cut++) expect(read(file.slice(0, -cut))).toEqual(["one"]);
  for (const at of [a.length, a.length + 9, a.length + 12, file.length - 1]) {
    const damaged = Uint8Array.from(file);
    damaged[at]! ^= 1;
    expect(read(damaged), `byte ${at}`).toEqual(["one"]);
  }
});
