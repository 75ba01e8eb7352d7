import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { crc32c } from "../src/crc32c.ts";
import { SummaryWriter } from "../src/index.ts";
import { readEvents } from "./event-file.ts";

const root = mkdtempSync(join(tmpdir(), "gradloom-events-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("checksums are those of RFC 3720", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test("points come back, also those of long tags, large steps and values that are not finite", async () => {
  const folder = join(root, "a", "b");
  const writer = new SummaryWriter(folder);
  const tag = "größe/".padEnd(200, "x");
  writer.addScalar(tag, 0.1, 0);
  await writer.flush();
  writer.addScalars({ a: Number.NaN, b: Number.NEGATIVE_INFINITY }, 2 ** 40 + 7);
  await writer.close();
  const [, first, second] = readEvents(join(folder, readdirSync(folder)[0]));
  expect(first.summary).toEqual({ value: [{ tag, simpleValue: Math.fround(0.1) }] });
  expect(second.step).toBe(String(2 ** 40 + 7));
  expect(second.summary?.value.map(({ simpleValue }) => simpleValue)).toEqual([
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ]);
});

test("each writer has a file of its own", async () => {
  const folder = join(root, "two");
  for (let i = 0; i < 2; i++) {
    const writer = new SummaryWriter(folder);
    writer.addScalar("loss", i, 1);
    await writer.close();
  }
  expect(readdirSync(folder)).toHaveLength(2);
});

test("steps are integers from 0 on", () => {
  expect(() => new SummaryWriter(root).addScalar("loss", 1, -1)).toThrow(
    "SummaryWriter: step must be an integer from 0 on, got -1.",
  );
});
