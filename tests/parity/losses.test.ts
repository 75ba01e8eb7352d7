import * as losses from "@gradloom/loss";
import { Tensor } from "@gradloom/tensor";
import { afterAll, describe, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures } from "./fixture.ts";
import { type OperationCase, runCase, title } from "./run-case.ts";

const cases = readFixtures<OperationCase>("losses").map((c) => ({ title: title(c), c }));

/** A fixture's arguments are the inputs of the criterion, then perhaps its options. */
function divide(args: readonly unknown[]): { inputs: Tensor[]; options: unknown } {
  const inputs = args.filter((arg) => arg instanceof Tensor);
  return { inputs, options: args.length > inputs.length ? args.at(-1) : {} };
}

function exported(name: string): (...args: never[]) => unknown {
  const found: unknown = Reflect.get(losses, name);
  if (typeof found === "function") return found as (...args: never[]) => unknown;
  throw new Error(`@gradloom/loss has no ${name}.`);
}

describe("criteria as classes", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("losses")));
  test.each(cases)("$title", ({ c }) =>
    runCase(c, comparison, (name, args) => {
      const { inputs, options } = divide(args);
      const criterion: { forward: (...args: Tensor[]) => Tensor } = Reflect.construct(
        exported(name),
        [options],
      );
      return criterion.forward(...inputs);
    }),
  );
});

/** `CrossEntropyLoss` → `crossEntropyLoss`, `MSELoss` → `mseLoss`, `BCEWithLogitsLoss` → `bceWithLogitsLoss`. */
function functionName(name: string): string {
  return name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (start) => start.toLowerCase());
}

describe("criteria as functions", () => {
  const comparison = new Comparison();
  test.each(cases)("$title", ({ c }) =>
    runCase(c, comparison, (name, args) => {
      const { inputs, options } = divide(args);
      return Reflect.apply(exported(functionName(name)), undefined, [...inputs, options]);
    }),
  );
});
