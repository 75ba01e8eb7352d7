import { ArgumentError, DTypeError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { tensor } from "../../src/create.ts";

const int = (data: number[]) => tensor(data, { dtype: "int32" });

test("shapes broadcast", () => {
  const column = tensor([[1], [2]]);
  expect(column.add(tensor([10, 20])).arraySync()).toEqual([
    [11, 21],
    [12, 22],
  ]);
  expect(column.sub(1).arraySync()).toEqual([[0], [1]]);
});

test("shapes that do not broadcast are refused", () => {
  const call = () => tensor([[1, 2, 3]]).mul(tensor([1, 2]));
  expect(call).toThrow(ShapeError);
  expect(call).toThrow("mul: shapes must broadcast, got [1, 3] and [2].");
  const details = { op: "mul", shapes: [[1, 3], [2]] };
  expect(call).toThrow(expect.objectContaining(details));
});

test("integers stay integers and wrap around, except in a division", () => {
  expect(int([7]).mul(2).dtype).toBe("int32");
  expect(int([7]).mul(0.5).arraySync()).toEqual([3.5]);
  expect(
    int([2 ** 31 - 1])
      .add(1)
      .arraySync(),
  ).toEqual([-(2 ** 31)]);
  expect(int([7]).div(2).arraySync()).toEqual([3.5]);
});

test("booleans add to or, multiply to and, and do not subtract", () => {
  const a = tensor([true, true, false]);
  const b = tensor([true, false, false]);
  expect(a.add(b).arraySync()).toEqual([1, 1, 0]);
  expect(a.mul(b).arraySync()).toEqual([1, 0, 0]);
  expect(a.add(b).dtype).toBe("bool");
  expect(() => a.sub(b)).toThrow(DTypeError);
  expect(() => a.sub(b)).toThrow(
    'sub: the tensor must be numeric, got bool. Convert it with to("int32").',
  );
  expect(() => a.neg()).toThrow(
    'neg: the tensor must be numeric, got bool. Convert it with to("int32").',
  );
});

test("quotients round as asked", () => {
  const a = [-7, 7, -7, 7];
  const b = [2, 2, -2, -2];
  for (const dtype of ["int32", "float32"] as const) {
    const x = tensor(a, { dtype });
    const y = tensor(b, { dtype });
    expect(x.div(y, { roundingMode: "floor" }).arraySync()).toEqual([-4, 3, 3, -4]);
    expect(x.div(y, { roundingMode: "trunc" }).arraySync()).toEqual([-3, 3, 3, -3]);
    expect(x.div(y, { roundingMode: "trunc" }).dtype).toBe(dtype);
    expect(x.remainder(y).arraySync()).toEqual([1, 1, -1, -1]);
  }
  const wrong = { roundingMode: "up" as "floor" };
  expect(() => int(a).div(2, wrong)).toThrow(ArgumentError);
  expect(() => int(a).div(2, wrong)).toThrow(
    'div: roundingMode must be "floor" or "trunc", got up.',
  );
});

test("abs and sign at 0 and for NaN", () => {
  const x = tensor([-2, 0, 3, Number.NaN], { requiresGrad: true });
  expect(x.sign().arraySync()).toEqual([-1, 0, 1, 0]);
  x.abs().sum().backward();
  expect(x.grad?.arraySync()).toEqual([-1, 0, 1, 0]);
});

test("round takes the even neighbour of a half", () => {
  expect(tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round().arraySync()).toEqual([0, 2, 2, -0, -2]);
  expect(tensor([-1.5, 1.5]).trunc().arraySync()).toEqual([-1, 1]);
  expect(tensor([-1.5, 1.5]).floor().arraySync()).toEqual([-2, 1]);
  expect(tensor([-1.5, 1.5]).ceil().arraySync()).toEqual([-1, 2]);
});

test("rounding has the gradient 0", () => {
  const x = tensor([1.2, -0.7], { requiresGrad: true });
  x.round().add(x.floor()).sum().backward();
  expect(x.grad?.arraySync()).toEqual([0, 0]);
});

test("lerp is exact at both ends", () => {
  const a = tensor([0.1]);
  const b = tensor([0.7]);
  expect(a.lerp(b, 0).dataSync()[0]).toBe(Math.fround(0.1));
  expect(a.lerp(b, 1).dataSync()[0]).toBe(Math.fround(0.7));
  expect(
    tensor([0, 0])
      .lerp(tensor([10, 10]), tensor([0.25, 0.75]))
      .arraySync(),
  ).toEqual([2.5, 7.5]);
});

test("roots and reciprocals", () => {
  const x = tensor([4, 0.25]);
  expect(x.sqrt().arraySync()).toEqual([2, 0.5]);
  expect(x.rsqrt().arraySync()).toEqual([0.5, 2]);
  expect(x.reciprocal().arraySync()).toEqual([0.25, 4]);
  expect(x.square().arraySync()).toEqual([16, 0.0625]);
});
