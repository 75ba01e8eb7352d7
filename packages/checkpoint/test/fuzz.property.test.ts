import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  CheckpointError,
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  decodeTorch,
  loadCheckpoint,
  saveCheckpoint,
} from "../src/index.ts";
import { fixtureBytes } from "./fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of each format in memory, and of checkpoints, which go through the disk: 10,000 files together. */
const runs = 2300;
const runsOnDisk = 800;

/** What happens to a file: bytes change, go, come, or are written again elsewhere. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("set" as const),
    at: fc.nat(),
    byte: fc.constantFrom(0, 1, 127, 128, 255, 34, 44, 123),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), length: fc.nat(40) }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant("copy" as const),
    at: fc.nat(),
    from: fc.nat(),
    length: fc.nat(40),
  }),
  fc.record({ kind: fc.constant("end" as const), at: fc.nat() }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, change: Mutation): Uint8Array {
  const at = bytes.length === 0 ? 0 : change.at % bytes.length;
  const replaced = (length: number, piece: Uint8Array) =>
    new Uint8Array(Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]));
  switch (change.kind) {
    case "flip":
      return replaced(1, Uint8Array.of(bytes[at] ^ (1 << change.bit)));
    case "set":
      return replaced(1, Uint8Array.of(change.byte));
    case "cut":
      return replaced(change.length, new Uint8Array(0));
    case "insert":
      return replaced(0, change.bytes);
    case "copy": {
      const from = change.from % Math.max(bytes.length, 1);
      return replaced(change.length, bytes.subarray(from, from + change.length));
    }
    default:
      return bytes.slice(0, at);
  }
}

/** Reads many damaged versions of a file: each gives a value or a clear error, quickly and without much memory. */
async function fuzz(
  name: string,
  original: Uint8Array,
  read: (bytes: Uint8Array) => Promise<unknown>,
  numRuns = runs,
): Promise<void> {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (changes) => {
      const before = process.memoryUsage().arrayBuffers;
      const error = await read(changes.reduce(mutate, original)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
      if (error === undefined) return;
      refused++;
      expect(error).toBeInstanceOf(CheckpointError);
      expect((error as Error).message).toMatch(/^\w+: .* must .*\./s);
      expect((error as Error).message.length).toBeLessThan(1000);
    }),
    { numRuns, seed: 20 },
  );
  expect(refused, `${name}: how many were refused`).toBeGreaterThan(numRuns / 10);
}

const cases: [string, Uint8Array, (bytes: Uint8Array) => Promise<unknown>][] = [
  ["safetensors", fixtureBytes("kinds.safetensors"), decodeSafetensors],
  ["torch", fixtureBytes("tied.pt"), decodeTorch],
  ["npy", fixtureBytes("array.npy"), decodeNpy],
  ["npz", fixtureBytes("deflated.npz"), decodeNpz],
];
test.each(cases)("%s: damaged files are read or refused", { timeout: 60_000 }, async (...c) => {
  await fuzz(...c);
});

test("a checkpoint that is damaged is always refused", { timeout: 60_000 }, async () => {
  const path = join(folder, "good.ckpt");
  await saveCheckpoint(path, { step: 3, list: [1, 2, { a: "b" }] });
  const { readFileSync } = await import("node:fs");
  const original = new Uint8Array(readFileSync(path));
  await fuzz(
    "checkpoint",
    original,
    async (bytes) => {
      if (Buffer.from(bytes).equals(original)) return;
      writeFileSync(path, bytes);
      await loadCheckpoint(path);
      throw new Error("A damaged checkpoint was read.");
    },
    runsOnDisk,
  );
});
