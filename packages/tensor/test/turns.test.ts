import { expect, test } from "vitest";
import { tensor } from "../src/index.ts";

test("a loop that reads a value in each step lets timers have their turn", async () => {
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 20);
  const start = performance.now();
  while (!isOver && performance.now() - start < 10_000) await tensor(0).add(1).item();
  expect(isOver).toBe(true);
});
