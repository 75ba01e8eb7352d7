import { DTypeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

test("softmax along either axis", () => {
  const x = tensor([
    [0, Math.log(3)],
    [0, 0],
  ]);
  const rows = x.softmax(-1).dataSync();
  [0.25, 0.75, 0.5, 0.5].forEach((value, i) => {
    expect(rows[i]).toBeCloseTo(value, 6);
  });
  const columns = x.softmax(0).dataSync();
  [0.5, 0.75, 0.5, 0.25].forEach((value, i) => {
    expect(columns[i]).toBeCloseTo(value, 6);
  });
});

test("large scores do not overflow, small ones do not underflow in logSoftmax", () => {
  const x = tensor([1000, 0]);
  expect(x.softmax(0).arraySync()).toEqual([1, 0]);
  expect(x.logSoftmax(0).arraySync()).toEqual([0, -1000]);
});

test("a score of minus infinity gets no weight", () => {
  const x = tensor([Number.NEGATIVE_INFINITY, 0, 0], { requiresGrad: true });
  const y = x.softmax(0);
  y.select(0, 1).backward();
  expect(y.arraySync()).toEqual([0, 0.5, 0.5]);
  expect(x.grad?.add(0).arraySync()).toEqual([0, 0.25, -0.25]); // -0 + 0 is 0
});

test("the gradient of logSoftmax is one-hot minus softmax", () => {
  const x = tensor([0, 0], { requiresGrad: true });
  x.logSoftmax(0).select(0, 0).backward();
  expect(x.grad?.arraySync()).toEqual([0.5, -0.5]);
});

test("integers are refused", () => {
  const x = tensor([1, 2], { dtype: "int32" });
  expect(() => x.softmax(0)).toThrow(DTypeError);
  expect(() => x.logSoftmax(0)).toThrow(
    'logSoftmax: the tensor must be floating, got int32. Convert it with to("float32").',
  );
});
