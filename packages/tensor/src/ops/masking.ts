import { type DType, element, iota } from "@gradloom/engine";
import { shapeError } from "../errors.ts";
import { type Operand, requireMask, resultType, toTensor } from "../promote.ts";
import { literal, record } from "../record.ts";
import { firstAxes, requireCount, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkIndices } from "./indexing.ts";

/**
 * `a` where the condition is true, else `b`; all three broadcast.
 *
 * @throws DTypeError if the condition is not bool.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  requireMask("where: the condition", condition);
  const dtype = commonType(a, b);
  const x = toTensor(a, dtype);
  const y = toTensor(b, dtype);
  const node = element("where", [condition.node, x.node, y.node], dtype);
  return record(
    "where",
    node,
    [condition, x, y],
    [
      undefined,
      (grad) => condition.where(grad, literal(0, grad)),
      (grad) => condition.where(literal(0, grad), grad),
    ],
  );
}

function commonType(a: Operand, b: Operand): DType {
  if (!isPlain(a)) return resultType("where", a, b);
  if (!isPlain(b)) return resultType("where", b, a);
  return typeof a === "boolean" && typeof b === "boolean" ? "bool" : "float32";
}

function isPlain(value: Operand): value is number | boolean {
  return typeof value === "number" || typeof value === "boolean";
}

/** `x` with `value` where the mask is true; the mask broadcasts. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  resultType("maskedFill", x, value); // refuses what is no operand
  return where(mask, toTensor(value, x.dtype), x);
}

/** The lower triangle of the last two axes, with `diagonal` more diagonals above the main one; zeros elsewhere. */
export function tril(x: Tensor, diagonal: number = 0): Tensor {
  return keepTriangle("tril", x, (row, column) => column.le(row.add(diagonal)));
}

/** The upper triangle of the last two axes, without `diagonal` diagonals from the main one on; zeros elsewhere. */
export function triu(x: Tensor, diagonal: number = 0): Tensor {
  return keepTriangle("triu", x, (row, column) => column.ge(row.add(diagonal)));
}

function keepTriangle(
  op: string,
  x: Tensor,
  keep: (row: Tensor, column: Tensor) => Tensor,
): Tensor {
  if (x.ndim < 2) {
    throw shapeError`${op}: the tensor must have two axes at least, got ${x.shape}.`;
  }
  const [rows, columns] = x.shape.slice(-2);
  return keep(indices(rows).unsqueeze(1), indices(columns)).where(x, literal(0, x));
}

/** 0, 1, 2, …: int32. */
export function indices(count: number): Tensor {
  return record("indices", iota(count));
}

/** The diagonal of two axes, `offset` columns to the right of the main one, as a new last axis. It is a view. */
export function diagonal(
  x: Tensor,
  offset: number = 0,
  dim1: number = 0,
  dim2: number = 1,
): Tensor {
  const first = toAxis("diagonal", dim1, x.ndim);
  const second = toAxis("diagonal", dim2, x.ndim);
  if (x.ndim < 2 || first === second) {
    throw shapeError`diagonal: there must be two different axes, got ${dim1} and ${dim2} for ${x.shape}.`;
  }
  const others = firstAxes(x.ndim).filter((axis) => axis !== first && axis !== second);
  const [rows, columns] = [x.shape[first], x.shape[second]];
  const row = Math.max(0, -offset);
  const column = Math.max(0, offset);
  const length = Math.max(0, Math.min(rows - row, columns - column));
  const flat = x.permute([...others, first, second]).flatten(-2);
  // In row-major order, neighbours on a diagonal are one row and one column apart.
  const start = length === 0 ? 0 : row * columns + column;
  const end = length === 0 ? 0 : start + (length - 1) * (columns + 1) + 1;
  return flat.slice(-1, start, end, { step: columns + 1 });
}

/**
 * 1 at the index that each element of `x` names, 0 elsewhere, along a new last axis: int32.
 *
 * @throws DTypeError if `x` is not of integers. ArgumentError if `numClasses` is not a positive integer. IndexError if an
 *   index is not in `0 … numClasses - 1`: at once where the indices are at hand, else when the result is computed.
 */
export function oneHot(x: Tensor, numClasses: number): Tensor {
  requireCount("oneHot", "numClasses", numClasses, 1);
  const index = checkIndices("oneHot", x, numClasses);
  return index.unsqueeze(-1).eq(indices(numClasses)).to("int32");
}
