import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@gradloom/tensor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CheckpointError, loadShardedSafetensors, saveSafetensors } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-shards-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await saveSafetensors(join(folder, "a.safetensors"), { one: tensor([1, 2]), two: tensor([3]) });
  await saveSafetensors(join(folder, "b.safetensors"), { three: tensor([[4]]) });
});

function index(content: unknown): string {
  const path = join(folder, "model.safetensors.index.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

test("the tensors of all files, in the order of the index", async () => {
  const path = index({
    metadata: { total_size: 16 },
    weight_map: { three: "b.safetensors", one: "a.safetensors", two: "a.safetensors" },
  });
  const dict = await loadShardedSafetensors(path);
  expect(Object.keys(dict)).toEqual(["three", "one", "two"]);
  expect(await dict.three.array()).toEqual([[4]]);
  expect(await dict.one.array()).toEqual([1, 2]);
});

test.each([
  ["{", "the index must be JSON"],
  [[1], "the index must have a weight_map of names to files, got none"],
  [{ weight_map: { one: 5 } }, 'each file must be in the folder of the index, got "5"'],
  [
    { weight_map: { one: "../a.safetensors" } },
    'each file must be in the folder of the index, got "../a.safetensors"',
  ],
  [
    { weight_map: { one: "/etc/passwd" } },
    'each file must be in the folder of the index, got "/etc/passwd"',
  ],
  [
    { weight_map: { four: "a.safetensors" } },
    '"a.safetensors" must hold what the index says, got no "four" in it',
  ],
])("refuses %j", async (content, message) => {
  await expect(loadShardedSafetensors(index(content))).rejects.toThrow(message);
});

test("says which file is missing", async () => {
  const path = index({ weight_map: { one: "c.safetensors" } });
  const failure = await loadShardedSafetensors(path).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CheckpointError);
  expect(String(failure)).toContain("c.safetensors must exist");
});
