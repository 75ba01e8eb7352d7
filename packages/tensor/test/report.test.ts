import { inspect } from "node:util";
import { ArgumentError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { ones, tensor } from "../src/create.ts";
import { memoryStats, realize } from "../src/engine.ts";
import { explain, profile } from "../src/report.ts";
import type { Tensor } from "../src/tensor.ts";

test("explain shows kernels, what was fused into them, bytes and FLOPs, and runs nothing", () => {
  const x = ones([8, 16]);
  const w = tensor([[1], [2]].concat(Array.from({ length: 14 }, () => [0])));
  const { pendingNodes } = memoryStats();
  const report = explain(x.matmul(w).relu());
  expect(memoryStats().pendingNodes).toBeGreaterThanOrEqual(pendingNodes);
  const kernels = report.plans.flatMap((plan) => plan.kernels);
  const product = kernels.find(({ kind }) => kind === "matmul");
  expect(product?.sizes).toEqual([8, 1, 16]);
  expect(product?.flops).toBeGreaterThanOrEqual(2 * 8 * 16);
  expect(product?.milliseconds).toBeUndefined();
  const text = String(report);
  expect(text).toMatch(/kernel +sizes +operations +bytes +FLOPs/);
  expect(text).toContain("8×1×16");
  expect(inspect(report)).toBe(text);
});

test("explain of a value that exists has nothing to say", () => {
  const x = tensor([1, 2]);
  expect(explain(x).plans.flatMap((plan) => plan.kernels)).toEqual([]);
});

test("profile gives the result, and times", () => {
  const x = ones([64, 64]);
  const { result, report } = profile(() => x.matmul(x).sum().itemSync());
  expect(result).toBe(64 ** 3);
  const kernels = report.plans.flatMap((plan) => plan.kernels);
  expect(kernels.length).toBeGreaterThan(0);
  for (const { milliseconds } of kernels) expect(milliseconds).toBeGreaterThanOrEqual(0);
  expect(report.milliseconds).toBeGreaterThan(0);
  expect(String(report)).toMatch(/ms +of peak/);
});

test("profile refuses what it cannot measure", () => {
  expect(() => profile(async () => 1)).toThrow(ArgumentError);
  expect(() => profile(async () => 1)).toThrow(
    "profile: fn must be synchronous, got one that returns a promise.",
  );
});

test("explain counts the bytes of what is read, not of what it is read from", () => {
  const table = ones([1000, 64]);
  realize(table);
  const bytesOf = (x: Tensor) =>
    explain(x).plans.flatMap(({ kernels }) => kernels.map(({ bytes }) => bytes));
  // Three rows are read, and written.
  expect(bytesOf(table.indexSelect(0, tensor([5, 7, 9], { dtype: "int32" }).add(1)))).toContain(
    4 * (3 * 64 + 3 * 64 + 3),
  );
  expect(bytesOf(table.narrow(0, 3, 10).mul(2))).toEqual([4 * (640 + 640)]);
  expect(Math.max(...bytesOf(table.matmul(ones([64, 8]))))).toBe(4 * (64_000 + 512 + 8000));
});
