import { expect, test } from "vitest";
import { element, iota } from "../src/index.ts";
import { compilePlan } from "../src/plan.ts";
import { PlanCache } from "../src/plan-cache.ts";
import { Walk } from "../src/walk.ts";
import { IdleBackend } from "./idle-backend.ts";

test("keeps the less plans the more kernels these have, and always the latest", () => {
  const cache = new PlanCache();
  const backend = new IdleBackend();
  const find = (length: number, count: number) => {
    const walk = new Walk({ outputs: [element("neg", [iota(length)], "int32")], states: [] }, 0);
    return cache.find(walk, () => {
      const plan = compilePlan(walk, backend, {});
      const kernels = Array.from({ length: count }, () => plan.program.kernels[0]);
      return { ...plan, program: { ...plan.program, kernels } };
    });
  };
  const few = find(1, 1);
  for (let length = 2; length <= 20; length++) find(length, 5000);
  expect(cache.size).toBe(6);
  expect(backend.disposed).toBe(14);
  expect(find(1, 1)).not.toBe(few);
  const many = find(30, 100_000);
  expect(cache.size).toBe(1);
  find(31, 1);
  expect(find(30, 1)).not.toBe(many);
});
