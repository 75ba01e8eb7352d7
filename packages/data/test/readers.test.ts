import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rand, tensor } from "@gradloom/tensor";
import fc from "fast-check";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DataError,
  DataLoader,
  decodeIdx,
  decodeImage,
  decodeWav,
  encodeWav,
  ImageFolder,
  JsonLinesDataset,
  loadCsv,
  loadIdx,
  loadText,
  loadWav,
  parseCsv,
  readLines,
  saveWav,
  TextDataset,
  Vocabulary,
} from "../src/index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradloom-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, contents);
  return path;
}

async function read<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** The first bytes of some, one of them another. */
function changed(bytes: Uint8Array, at: number, value: number, length: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? value : byte)).subarray(0, length);
}

async function thrown(promise: Promise<unknown>): Promise<DataError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

/** An IDX file of bytes. */
const idx = (shape: number[], data: number[], type = 8) =>
  Uint8Array.from([
    0,
    0,
    type,
    shape.length,
    ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]),
    ...data,
  ]);

describe("IDX", () => {
  test("becomes a tensor, gzipped or not", async () => {
    const bytes = idx([2, 3], [1, 2, 3, 4, 5, 255]);
    for (const path of [await file("a.idx", bytes), await file("a.idx.gz", gzipSync(bytes))]) {
      const x = await loadIdx(path);
      expect(x.dtype).toBe("uint8");
      expect(await x.array()).toEqual([
        [1, 2, 3],
        [4, 5, 255],
      ]);
    }
  });

  test("has elements of other types, big-endian", async () => {
    const int16 = await decodeIdx(idx([2], [255, 254, 1, 0], 11));
    expect([int16.dtype, await int16.array()]).toEqual(["int32", [-2, 256]]);
    const int8 = await decodeIdx(idx([1], [255], 9));
    expect(await int8.array()).toEqual([-1]);
    const float = await decodeIdx(idx([1], [0x3f, 0x80, 0, 0], 13));
    expect([float.dtype, await float.array()]).toEqual(["float32", [1]]);
  });

  test("is refused if cut off, too long, gzipped and cut off, or something else", async () => {
    const whole = idx([2, 3], [1, 2, 3, 4, 5, 6]);
    const path = await file("cut.idx", whole.subarray(0, -1));
    const error = await thrown(loadIdx(path));
    expect(error.message).toBe(
      `loadIdx: [2, 3] must be followed by 6 bytes, got 5. The file is ${path}.`,
    );
    expect(error.path).toBe(path);
    await thrown(decodeIdx(Uint8Array.from([...whole, 0])));
    await thrown(decodeIdx(gzipSync(whole).subarray(0, -9)));
    expect((await thrown(decodeIdx(new TextEncoder().encode("hello")))).message).toContain(
      "must begin with 00 00 and the type of an IDX file, got 68 65 6c 6c",
    );
    expect((await thrown(loadIdx(join(folder, "nowhere")))).message).toContain(
      "must exist, got ENOENT",
    );
  });

  test("no bytes lead to anything but a tensor or a DataError (property)", async () => {
    const whole = idx([2, 2], [1, 2, 3, 4]);
    const mutated = fc
      .tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length))
      .map(([at, value, length]) => changed(whole, at, value, length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 40 })), async (bytes) => {
        try {
          await decodeIdx(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("CSV", () => {
  test("has columns of numbers and of texts", async () => {
    const path = await file(
      "a.csv",
      '\uFEFFname,mass,note\r\n"A ""b"", c",1.5,x\r\nd,,"two\nlines"\r\n',
    );
    const table = await loadCsv(path);
    expect(table.columns).toEqual(["name", "mass", "note"]);
    expect(table.get(0)).toEqual({ name: 'A "b", c', mass: 1.5, note: "x" });
    expect(table.get(1)).toEqual({ name: "d", mass: Number.NaN, note: "two\nlines" });
    expect(await parseCsv("a,b\n1,2\n3,4").tensor(["b", "a"]).array()).toEqual([
      [2, 1],
      [4, 3],
    ]);
    const { ids, names } = parseCsv("k\nx\ny\nx").categories("k");
    expect([await ids.array(), names]).toEqual([
      [0, 1, 0],
      ["x", "y"],
    ]);
  });

  test("takes other delimiters, headers and types", () => {
    const table = parseCsv("1;2\n3;NA", {
      delimiter: ";",
      header: ["a", "b"],
      types: { a: "text" },
    });
    expect([table.get(0), table.get(1)]).toEqual([
      { a: "1", b: 2 },
      { a: "3", b: Number.NaN },
    ]);
  });

  test("anything that is quoted comes back (property)", () => {
    const field = fc.string({ unit: fc.constantFrom(...'ab,"\n\r ;é') });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (rows) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = rows.map((row) => row.map(quote).join(",")).join("\n");
        const types = { a: "text", b: "text" } as const;
        const table = parseCsv(text, { header: ["a", "b"], types });
        expect(rows.map((_, i) => Object.values(table.get(i)))).toEqual(rows);
      }),
    );
  });

  test.each([
    ["a,b\n1,2\n3\n", "a record must have 2 fields, got 1", 3],
    ['a,b\n"x\ny",1\n1,2,3', "a record must have 2 fields, got 3", 4],
    ['a\n"x', "a quoted field must be closed, got the end of the text", 2],
    [
      'a,b\n"x"y,1',
      'a quoted field must be followed by a delimiter or the end of its line, got "y"',
      2,
    ],
    ["a,a\n1,2", "columns must have different names, got a, a", 1],
  ])("refuses %j, and says where", async (text, message, line) => {
    const path = await file("bad.csv", text);
    const error = await thrown(loadCsv(path));
    expect(error.message).toContain(`loadCsv: ${message}`);
    expect(error.message).toContain(`Line ${line} of ${path}.`);
    expect([error.path, error.line]).toEqual([path, line]);
  });

  test("refuses bytes that are no text, and numbers that are none", async () => {
    expect(
      (await thrown(loadCsv(await file("b.csv", Uint8Array.of(0xff, 0xfe))))).message,
    ).toContain("must be text in UTF-8");
    expect((await thrown(loadCsv(await file("z.csv", "a\0b")))).message).toContain("a zero byte");
    expect(() => parseCsv("a\n1\nx", { types: { a: "number" } })).toThrow(
      'parseCsv: column a must hold numbers, got "x". Line 3.',
    );
    expect(() => parseCsv("a\nx").tensor(["a"])).toThrow("column a must hold numbers");
    expect(() => parseCsv("a\n1").column("b")).toThrow("a column must be one of a, got b");
  });
});

describe("JSON lines", () => {
  test("are read one after the other, and by a loader", async () => {
    const path = await file("a.jsonl", '{"x":1,"t":"é"}\r\n\n{"x":2,"t":"b"}');
    const dataset = new JsonLinesDataset<{ x: number; t: string }>(path);
    expect(await read(dataset)).toEqual([
      { x: 1, t: "é" },
      { x: 2, t: "b" },
    ]);
    for await (const { x, t } of new DataLoader(dataset, { batchSize: 2 })) {
      expect([await x.array(), t]).toEqual([
        [1, 2],
        ["é", "b"],
      ]);
    }
  });

  test("say which line is none", async () => {
    const path = await file("bad.jsonl", '{"x":1}\n\n{"x":');
    const error = await thrown(read(new JsonLinesDataset(path)));
    expect(error.message).toMatch(/^JsonLinesDataset: a line must be JSON, got {"x": /);
    expect([error.path, error.line]).toEqual([path, 3]);
  });

  test("lines that are longer than a piece of the file are whole", async () => {
    const lines = ["é".repeat(100_001), "", "b".repeat(70_000)];
    expect(await read(readLines(await file("long.txt", lines.join("\n"))))).toEqual(lines);
    await thrown(read(readLines(await file("junk", Uint8Array.of(0x80, 0x81)))));
    await thrown(read(readLines(join(folder, "nowhere"))));
  });
});

describe("pictures", () => {
  const data = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i * 10);
  const png = encodePng({ width: 3, height: 2, channels: 3, depth: 8, data });

  test("are [channels, height, width]", async () => {
    const { shape, data: planes } = await decodeImage(png);
    expect(shape).toEqual([3, 2, 3]);
    expect(Array.from(planes)).toEqual(
      [0, 1, 2].flatMap((c) => [0, 1, 2, 3, 4, 5].map((i) => (i * 3 + c) * 10)),
    );
  });

  test("of 16 bits become bytes, and grey has one channel", async () => {
    const deep = Uint16Array.of(0, 65535);
    const { shape, data: planes } = await decodeImage(
      encodePng({ width: 2, height: 1, channels: 1, depth: 16, data: deep }),
    );
    expect([shape, Array.from(planes)]).toEqual([
      [1, 1, 2],
      [0, 255],
    ]);
  });

  test("cut off or of another kind are refused", async () => {
    expect((await thrown(decodeImage(png.subarray(0, 40)))).message).toContain("must be whole");
    expect((await thrown(decodeImage(Uint8Array.of(1, 2, 3)))).message).toContain("PNG or JPEG");
    const huge = Uint8Array.from(png);
    new DataView(huge.buffer).setUint32(16, 40_000);
    new DataView(huge.buffer).setUint32(20, 40_000);
    expect((await thrown(decodeImage(huge))).message).toContain(
      `the picture must fit its ${png.byteLength} bytes, got 40000 × 40000 pixels`,
    );
    const jpeg = Uint8Array.of(255, 216, 255, 0, 1, 2);
    expect((await thrown(decodeImage(jpeg))).message).toContain("must be whole");
  });

  test("may be JPEG", async () => {
    const grey = new Uint8Array(8 * 8 * 4).fill(128);
    const { data: bytes } = encodeJpeg({ width: 8, height: 8, data: grey }, 95);
    const { shape, data: planes } = await decodeImage(bytes);
    expect(shape).toEqual([3, 8, 8]);
    for (const value of planes) expect(Math.abs(value - 128)).toBeLessThan(3);
  });

  test("in folders have their folder's class", async () => {
    const root = join(folder, "pictures");
    for (const [name, count] of [
      ["dog", 1],
      ["cat", 2],
    ] as const) {
      await mkdir(join(root, name), { recursive: true });
      for (let i = 0; i < count; i++) await writeFile(join(root, name, `${i}.png`), png);
    }
    const dataset = await ImageFolder.open(root);
    expect([dataset.classes, dataset.length]).toEqual([["cat", "dog"], 3]);
    for await (const [pictures, classes] of new DataLoader(dataset, { batchSize: 3 })) {
      expect([pictures.shape, pictures.dtype, classes.dtype]).toEqual([
        [3, 3, 2, 3],
        "uint8",
        "int32",
      ]);
      expect(await classes.array()).toEqual([0, 0, 1]);
    }
    await thrown(ImageFolder.open(join(root, "cat")));
  });
});

describe("text", () => {
  test("falls into windows, with what comes next", async () => {
    const dataset = new TextDataset([0, 1, 2, 3, 4, 5, 6], { blockSize: 2 });
    expect(dataset.length).toBe(3);
    expect(dataset.get(2)).toEqual([Int32Array.of(4, 5), Int32Array.of(5, 6)]);
    expect(new TextDataset([0, 1, 2, 3], { blockSize: 2, stride: 1 }).length).toBe(2);
    for await (const [ids, targets] of new DataLoader(dataset, { batchSize: 3 })) {
      expect(await ids.array()).toEqual([
        [0, 1],
        [2, 3],
        [4, 5],
      ]);
      expect(await targets.select(1, 1).array()).toEqual([2, 4, 6]);
      expect(ids.dtype).toBe("int32");
    }
    expect(() => new TextDataset([1, 2], { blockSize: 2 })).toThrow(
      "TextDataset: the text must have at least blockSize + 1 = 3 ids, got 2.",
    );
  });

  test("becomes numbers and text again", async () => {
    const text = await loadText(await file("a.txt", "hello 🙂"));
    const characters = Vocabulary.ofCharacters(text);
    expect(characters.decode(characters.encode(text))).toBe(text);
    expect(characters.size).toBe(6);
    expect(() => characters.encode("z")).toThrow('got "z" as number 0.');
    const words = Vocabulary.ofWords("The cat. The dog!", 3);
    expect(words.tokens).toEqual(["<unk>", "the", "!"]);
    expect(words.encode("the bird!")).toEqual([1, 0, 2]);
    expect(words.decode([1, 0])).toBe("the <unk>");
  });
});

describe("WAV", () => {
  test("is written and read again", async () => {
    const x = tensor([
      [0, 0.5, -1, 2],
      [0.25, -0.25, 1, 0],
    ]);
    const path = join(folder, "a.wav");
    await saveWav(path, x, 8000);
    const { waveform, sampleRate } = await loadWav(path);
    expect([waveform.shape, sampleRate]).toEqual([[2, 4], 8000]);
    const values = (await waveform.data()) as Float32Array;
    [0, 0.5, -1, 1, 0.25, -0.25, 1, 0].forEach((value, i) => {
      expect(Math.abs(values[i] - value)).toBeLessThan(1e-4);
    });
  });

  test("of any bytes is a sound or a DataError (property)", async () => {
    const whole = await encodeWav(rand([6]), 8000);
    fc.assert(
      fc.property(fc.nat(43), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        try {
          decodeWav(changed(whole, at, value, length));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
