import { existsSync, readFileSync } from "node:fs";
import type { Tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { CheckpointError, decodeTorch, loadTorch } from "../src/index.ts";
import { described, fixture, fixtureBytes } from "./fixtures.ts";

describe("what PyTorch has saved", () => {
  test.each(["state-dict", "training", "kinds", "tied"])(
    "%s: every value is as it was",
    async (name) => {
      const loaded = described(await loadTorch(fixture(`${name}.pt`)));
      expect(loaded).toEqual(JSON.parse(readFileSync(fixture(`${name}.json`), "utf8")));
      expect(described(await decodeTorch(fixtureBytes(`${name}.pt`)))).toEqual(loaded);
    },
  );

  test("parameters that are tied stay one tensor", async () => {
    const { a, b } = await loadTorch(fixture("tied.pt"));
    expect(a).toBe(b);
  });
});

describe("what is refused", () => {
  const cases: [string, string][] = [
    ["whole-model.pt", 'got \\"torch.nn.modules.container.Sequential\\"'],
    ["code.pt", 'values must be tensors and plain containers, got \\"posix.system\\"'],
    ["complex.pt", 'got \\"torch.ComplexFloatStorage\\"'],
    ["long-too-large.pt", "64-bit integers must fit into int32, got 1099511627776"],
    ["old-format.pt", "must be a zip archive, as PyTorch writes since version 1.6"],
    ["code.pkl", "must be a zip archive"],
    ["bomb.pt", "the pickle must have at most"],
    ["stored.npz", "the archive must hold one data.pkl, got 0"],
  ];
  test.each(cases)("%s", async (name, message) => {
    const error = await loadTorch(fixture(name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).message).toContain(message.replaceAll("\\", ""));
    expect((error as CheckpointError).path).toBe(fixture(name));
    expect(existsSync("gradloom-was-here")).toBe(false);
  });

  test("a tensor that is not in its storage, or takes far more than the file", async () => {
    const bytes = fixtureBytes("tied.pt");
    // The storage has 2 elements; its length is written as K\x02.
    const text = Buffer.from(bytes).toString("latin1");
    const place = text.indexOf("cpu");
    expect(place).toBeGreaterThan(0);
    const tail = text.indexOf("K\x02", place);
    bytes[tail + 1] = 1;
    await expect(decodeTorch(bytes)).rejects.toThrow(CheckpointError);
  });
});

test("what has been counted is a plain object", async () => {
  expect(await loadTorch(fixture("counter.pt"))).toEqual({ a: 2, b: 1 });
});

test("a tensor keeps no more than it needs", async () => {
  const { row } = (await loadTorch<{ row: Tensor }>(fixture("kinds.pt"))) ?? {};
  expect(row.arraySync()).toEqual([12, 13, 14, 15, 16, 17]);
});
