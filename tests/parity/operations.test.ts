import { setBackend, type Tensor } from "@gradloom/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore } from "./fixture.ts";
import { asTensors, call, functionNamed, isMethod, restoreArguments } from "./operations.ts";
import { type OperationCase, runCase, title } from "./run-case.ts";

const families = [
  "creation",
  "arithmetic",
  "comparison",
  "activations",
  "reductions",
  "shape",
  "edges",
  "indexing",
  "sorting",
  "windows",
  "linear-algebra",
];

const wider = {
  // Second gradients of the tanh form hold 1 − σ(2u), which cancels where σ is near 1.
  gelu: { relative: 1e-4, absolute: 1e-6 },
};

describe.each(["js", "wasm"] as const)("backend %s", (backend) => {
  beforeAll(() => setBackend(backend));
  describe.each(families)("%s", (family) => {
    const comparison = new Comparison(wider);
    afterAll(() => console.log(comparison.table(`${family}, backend ${backend}`)));
    test.each(readFixtures<OperationCase>(family).map((c) => ({ title: title(c), c })))(
      "$title",
      ({ c }) => runCase(c, comparison, call),
    );
  });
});

/** The first case of every operation that is a method. */
const methods = new Map(
  families
    .flatMap((family) => readFixtures<OperationCase>(family))
    .filter((c) => isMethod(c.op))
    .reverse()
    .map((c) => [c.op, c] as const),
);

test.each([...methods])("%s is a function too, with equal results", (op, c) => {
  const inputs = c.inputs.map(restore);
  const args = restoreArguments(c.args, inputs) as unknown[];
  const byFunction = asTensors(op, functionNamed(op)?.(...args));
  const list = (result: Tensor | Tensor[]) => (Array.isArray(result) ? result : [result]);
  const expected = list(call(op, args));
  expect(list(byFunction).length).toBe(expected.length);
  list(byFunction).forEach((tensor, i) => {
    expect(tensor.arraySync()).toEqual(expected[i].arraySync());
  });
});
