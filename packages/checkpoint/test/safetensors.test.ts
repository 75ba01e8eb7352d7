import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  inspectSafetensors,
  loadSafetensors,
  saveSafetensors,
} from "../src/index.ts";
import { described, fixture } from "./fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of a header and data. */
function file(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("reading", () => {
  test("every dtype, as the format describes it", async () => {
    expect(described(await loadSafetensors(fixture("kinds.safetensors")))).toEqual({
      f64: { dtype: "float64", shape: [2], data: [0.1, 2] },
      f32: { dtype: "float32", shape: [2, 2], data: [1, 2.5, -3, Number.POSITIVE_INFINITY] },
      f16: { dtype: "float32", shape: [2], data: [0.5, -2] },
      bf16: { dtype: "float32", shape: [2], data: [1, -3.140625] },
      i64: { dtype: "int32", shape: [2], data: [-5, 9] },
      i32: { dtype: "int32", shape: [1], data: [7] },
      u8: { dtype: "uint8", shape: [3], data: [0, 1, 255] },
      bool: { dtype: "bool", shape: [2], data: [1, 0] },
      scalar: { dtype: "float32", shape: [], data: [4] },
      empty: { dtype: "float32", shape: [0, 2], data: [] },
    });
  });

  test("every float16 and bfloat16 there is", async () => {
    const bits = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
    const data = new Uint8Array(bits.buffer);
    const twice = new Uint8Array(data.length * 2);
    twice.set(data);
    twice.set(data, data.length);
    const size = data.length;
    const { half, bfloat } = await decodeSafetensors(
      file(
        { half: entry("F16", [65536], 0, size), bfloat: entry("BF16", [65536], size, 2 * size) },
        twice,
      ),
    );
    const [h, b] = [half.dataSync(), bfloat.dataSync()];
    const view = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < 65536; i++) {
      view.setUint32(0, i << 16);
      expect(Object.is(b[i], view.getFloat32(0))).toBe(true);
    }
    // The distances between neighbours, and the ends, say the rest.
    expect([h[1], h[0x3ff], h[0x400], h[0x3c00], h[0x7bff], h[0x7c00], h[0x8001]]).toEqual([
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1,
      65504,
      Number.POSITIVE_INFINITY,
      -(2 ** -24),
    ]);
    for (let i = 1; i < 0x7c00; i++) {
      const exponent = Math.max(i >> 10, 1);
      expect(h[i] - h[i - 1]).toBe(
        2 ** ((i % 1024 === 0 ? Math.max(exponent - 1, 1) : exponent) - 25),
      );
    }
  });

  test("inspecting reads the header alone, also of dtypes that cannot be loaded", async () => {
    const { tensors, metadata } = await inspectSafetensors(fixture("kinds.safetensors"));
    expect(tensors.f32).toEqual({ dtype: "F32", shape: [2, 2], dataOffsets: [16, 32] });
    expect(metadata).toEqual({ format: "pt", note: "grüße" });
    const foreign = await inspectSafetensors(fixture("foreign.safetensors"));
    expect(Object.values(foreign.tensors).map(({ dtype }) => dtype)).toEqual(["I16", "F8_E4M3"]);
    await expect(loadSafetensors(fixture("foreign.safetensors"))).rejects.toThrow(
      /^loadSafetensors: the dtype of "x" must be one of F64, F32, F16, BF16, I64, I32, U8, BOOL, got I16\./,
    );
    await expect(loadSafetensors(fixture("long-too-large.safetensors"))).rejects.toThrow(
      'loadSafetensors: 64-bit integers must fit into int32, got 2147483648 in "x".',
    );
  });
});

describe("writing", () => {
  const all = (): Record<string, Tensor> => ({
    b: tensor([true, false, true]),
    "layer.0.weight": tensor([
      [1, 2.5],
      [-0, Number.NaN],
    ]),
    u: tensor([1, 255], { dtype: "uint8" }),
    d: tensor([Math.PI], { dtype: "float64" }),
    i: tensor(-7, { dtype: "int32" }),
    empty: tensor([]),
    __proto: tensor([1]),
    grüße: tensor([2]),
  });

  test("what is written is read, in the same order, with its metadata", async () => {
    const path = join(folder, "all.safetensors");
    await saveSafetensors(path, all(), { metadata: { format: "pt", a: '"' } });
    const loaded = await loadSafetensors(path);
    expect(described(loaded)).toEqual(described(all()));
    expect(Object.keys(loaded)).toEqual(Object.keys(all()));
    expect((await inspectSafetensors(path)).metadata).toEqual({ format: "pt", a: '"' });
    const bytes = await encodeSafetensors(all(), { metadata: { format: "pt", a: '"' } });
    expect(Buffer.from(bytes).equals(readFileSync(path))).toBe(true);
    expect(readdirSync(folder)).toEqual(["all.safetensors"]);
  });

  test("the file is as the format says: a length, JSON, and aligned data without holes", async () => {
    const bytes = await encodeSafetensors(all());
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header["layer.0.weight"]).toEqual(entry("F32", [2, 2], 8, 24));
    const view = new DataView(bytes.buffer, 8 + length);
    expect(view.getFloat64(header.d.data_offsets[0], true)).toBe(Math.PI);
    expect(view.getFloat32(8 + 4, true)).toBe(2.5);
  });

  test("computes what is recorded only", async () => {
    manualSeed(1);
    const x = randn([3]);
    const loaded = await decodeSafetensors(await encodeSafetensors({ y: x.mul(2) }));
    expect(loaded.y.arraySync()).toEqual(x.mul(2).arraySync());
    expect(await decodeSafetensors(await encodeSafetensors({}))).toEqual({});
  });

  test("refuses what is not tensors by texts", async () => {
    await expect(encodeSafetensors({ x: 3 as never })).rejects.toThrow(ArgumentError);
    await expect(encodeSafetensors({ __metadata__: tensor(1) })).rejects.toThrow(
      "got one as __metadata__",
    );
    await expect(
      saveSafetensors(join(folder, "no"), {}, { metadata: { a: 1 as never } }),
    ).rejects.toThrow("saveSafetensors: metadata must be strings, got number as a.");
    expect(readdirSync(folder)).not.toContain("no");
  });
});

describe("damaged and hostile files", () => {
  const four = new Uint8Array(4);
  const x = entry("F32", [1], 0, 4);
  const cases: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(0), "must have at least 8 bytes, got 0"],
    [
      "a header longer than the file",
      file({}).subarray(0, 9),
      "header must have at most 1 bytes, got 2",
    ],
    [
      "a header of 2^63",
      new Uint8Array(8).fill(255),
      "must have at most 0 bytes, got 18446744073709551615",
    ],
    ["no JSON", file("{"), "the header must be JSON"],
    ["a list", file("[]"), "must be an object and start with {"],
    ["space first", file(" {}"), "must be an object and start with {"],
    ["not UTF-8", file({}).fill(255, 9, 10), "must be UTF-8"],
    [
      "a name twice",
      file(`{"x":${JSON.stringify(x)},"\\u0078":${JSON.stringify(x)}}`, four),
      'got "x" twice',
    ],
    ["an entry that is a number", file({ x: 1 }), "must have dtype, shape and data_offsets"],
    ["a dtype that is a number", file({ x: { ...x, dtype: 1 } }, four), "must have dtype, shape"],
    ["an unknown dtype", file({ x: entry("F31", [1], 0, 4) }, four), 'must be known, got "F31"'],
    [
      "a dtype of Object's",
      file({ x: entry("toString", [1], 0, 4) }, four),
      'must be known, got "toString"',
    ],
    ["a negative size", file({ x: entry("F32", [-1], 0, 4) }, four), "must have dtype, shape"],
    ["a broken size", file({ x: entry("F32", [0.5], 0, 4) }, four), "must have dtype, shape"],
    [
      "sizes beyond all",
      file({ x: entry("F32", [2 ** 31, 2 ** 31], 0, 4) }, four),
      "at most 2147483647 elements",
    ],
    ["sizes that wrap", file({ x: entry("U8", [2 ** 32, 2 ** 32, 0], 0, 0) }), "must have sizes"],
    [
      "too few bytes for the shape",
      file({ x: entry("F32", [2], 0, 4) }, four),
      "must have 8 bytes for F32 [2], got 4",
    ],
    [
      "offsets that go back",
      file({ x: entry("F32", [1], 4, 0) }, four),
      "must have 4 bytes for F32 [1], got -4",
    ],
    [
      "an overlap",
      file({ x, y: entry("F32", [1], 2, 6) }, new Uint8Array(6)),
      'an overlap before "y"',
    ],
    ["the same bytes twice", file({ x, y: x }, four), "an overlap before"],
    [
      "a hole",
      file({ x, y: entry("F32", [1], 5, 9) }, new Uint8Array(9)),
      'a hole before "y": it begins at 5 instead of 4',
    ],
    [
      "a hole at the start",
      file({ y: entry("F32", [1], 1, 5) }, new Uint8Array(5)),
      "a hole before",
    ],
    [
      "less data",
      file({ x }, four.subarray(1)),
      "must have 4 bytes of data behind its header, as the header says, got 3",
    ],
    ["more data", file({ x }, new Uint8Array(5)), "got 5"],
    [
      "metadata of numbers",
      file({ __metadata__: { a: 1 } }),
      "__metadata__ must be an object of strings",
    ],
    [
      "a deep nesting",
      file(`{"x":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
      "the contents must be readable",
    ],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    const error = await decodeSafetensors(bytes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toMatch(/^decodeSafetensors: /);
  });

  test("a name from hell is a name", async () => {
    const loaded = await decodeSafetensors(file(`{"__proto__":${JSON.stringify(x)}}`, four));
    expect(Object.keys(loaded)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(loaded)).toBe(Object.prototype);
  });

  test("files that are not there, or none", async () => {
    await expect(loadSafetensors(join(folder, "missing"))).rejects.toThrow(
      /^loadSafetensors: the file .*missing must exist, and its folder, got ENOENT/,
    );
    await expect(loadSafetensors(folder)).rejects.toThrow("must lead to a file, got a folder");
    writeFileSync(join(folder, "short"), four);
    await expect(inspectSafetensors(join(folder, "short"))).rejects.toThrow(
      "at least 8 bytes, got 4. The file is",
    );
  });
});
