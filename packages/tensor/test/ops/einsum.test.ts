import { ArgumentError, ShapeError } from "@gradloom/engine";
import { expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";
import { einsum } from "../../src/ops/einsum.ts";

const m = () => arange(6).to("float32").reshape([2, 3]);
const v = () => tensor([1, 10, 100]);

test("products, sums, transposes and diagonals", () => {
  expect(einsum("ij,j->i", m(), v()).arraySync()).toEqual([210, 543]);
  expect(einsum("ij->ji", m()).arraySync()).toEqual(m().t().arraySync());
  expect(einsum("ij->", m()).itemSync()).toBe(15);
  expect(einsum("ij->j", m()).arraySync()).toEqual([3, 5, 7]);
  expect(einsum("i,j->ij", tensor([1, 2]), v()).arraySync()).toEqual([
    [1, 10, 100],
    [2, 20, 200],
  ]);
  const square = arange(9).to("float32").reshape([3, 3]);
  expect(einsum("ii", square).itemSync()).toBe(12);
  expect(einsum("ii->i", square).arraySync()).toEqual([0, 4, 8]);
});

test("without an arrow the result is in alphabetical order", () => {
  expect(einsum("ba", m()).arraySync()).toEqual(m().t().arraySync());
  expect(einsum("ij, jk", m(), m().t()).arraySync()).toEqual([
    [5, 14],
    [14, 50],
  ]);
});

test("batches, dots and broadcasting", () => {
  expect(einsum("bij,bjk->bik", zeros([4, 2, 3]), zeros([4, 3, 5])).shape).toEqual([4, 2, 5]);
  expect(einsum("...ij,...jk->...ik", zeros([4, 1, 2, 3]), zeros([7, 3, 5])).shape).toEqual([
    4, 7, 2, 5,
  ]);
  expect(einsum("...i->...", m()).arraySync()).toEqual([3, 12]);
  expect(einsum("bhqd,bhkd->bhqk", zeros([2, 3, 4, 5]), zeros([2, 3, 6, 5])).shape).toEqual([
    2, 3, 4, 6,
  ]);
});

test("three operands", () => {
  const result = einsum("ij,j,i->", m(), v(), tensor([1, 2]));
  expect(result.itemSync()).toBe(210 + 2 * 543);
});

test("gradients", () => {
  const x = m().detach().requiresGrad_();
  einsum("ij,j->i", x, v()).sum().backward();
  expect(x.grad?.arraySync()).toEqual([
    [1, 10, 100],
    [1, 10, 100],
  ]);
});

test("equations that make no sense are refused", () => {
  expect(() => einsum("i1->i", m())).toThrow(ArgumentError);
  expect(() => einsum("i1->i", m())).toThrow(
    'einsum: the equation must be like "ij,jk->ik", got "i1->i".',
  );
  expect(() => einsum("ij,jk", m())).toThrow(
    "einsum: the equation must name the axes of each operand, got 2 terms for 1 operands.",
  );
  expect(() => einsum("ij->ijk", m())).toThrow(
    'einsum: the equation must have the letters of the result once, and on the left, got "k" in "ij->ijk".',
  );
  expect(() => einsum("i->i", m())).toThrow(ShapeError);
  expect(() => einsum("i->i", m())).toThrow(
    'einsum: a term must have a letter for each axis, got "i" for [2, 3].',
  );
  expect(() => einsum("ij,jk->ik", m(), m())).toThrow(
    'einsum: axes of one letter must have one size, got 3 and 2 for "j" in "ij,jk->ik" with [2, 3] and [2, 3].',
  );
});
