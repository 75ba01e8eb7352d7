import { type DType, isFloat } from "@gradloom/engine";
import { argumentError, describe, dtypeError } from "./errors.ts";
import { requireOneOf } from "./options.ts";
import { given } from "./record.ts";
import type { Tensor } from "./tensor.ts";

/** What stands on the right of an operation: a tensor, or a number or boolean, which adapts to the left. */
export type Operand = Tensor | number | boolean;

/** Each holds the values of those before it. */
const order: readonly DType[] = ["bool", "uint8", "int32", "float32", "float64"];

/** The dtype that holds values of both. */
export function promote(a: DType, b: DType): DType {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/** Boolean, integer or floating: a wider category wins whatever the shapes are. */
function categoryOf(dtype: DType): number {
  return isFloat(dtype) ? 2 : Number(dtype !== "bool");
}

/**
 * The dtype of `a ∘ b`, by PyTorch's rules: tensors with axes are promoted among themselves; a tensor without
 * axes, or a number, changes the result only if its category (bool, integer, floating) is wider. A number without
 * a fraction counts as an integer.
 */
export function resultType(op: string, a: Tensor, b: Operand): DType {
  requireTensor(op, a);
  if (typeof b === "number") return withNumber(a.dtype, b);
  if (typeof b === "boolean") return a.dtype;
  requireTensor(op, b);
  if (a.dtype === b.dtype) return a.dtype;
  if ((a.ndim === 0) === (b.ndim === 0)) return promote(a.dtype, b.dtype);
  const [wide, narrow] = a.ndim === 0 ? [b, a] : [a, b];
  return categoryOf(narrow.dtype) > categoryOf(wide.dtype) ? narrow.dtype : wide.dtype;
}

function withNumber(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return "float32";
  return dtype === "bool" ? "int32" : dtype;
}

/** The operand as a tensor of the given dtype. */
export function toTensor(operand: Operand, dtype: DType): Tensor {
  return typeof operand === "object" ? operand.to(dtype) : given(Number(operand), dtype);
}

/**
 * @param cause - The error that it led to.
 * @throws ArgumentError for what is no tensor.
 */
export function requireTensor(op: string, x: unknown, cause?: Error): asserts x is Tensor {
  if ((x as Partial<Tensor> | null | undefined)?.dtype) return;
  const error = argumentError`${op}: it must be given a tensor, got ${describe(x)}. Make one with tensor(…).`;
  throw cause ? Object.assign(error, { cause }) : error;
}

/** The dtype of a floating result: that of `x`, or float32 for integers. */
export function floatType(dtype: DType): DType {
  return isFloat(dtype) ? dtype : "float32";
}

/**
 * @throws DTypeError if `x` is not floating.
 */
export function requireFloat(op: string, x: Tensor): void {
  requireTensor(op, x);
  if (isFloat(x.dtype)) return;
  throw dtypeError`${op}: the tensor must be floating, got ${x.dtype}. Convert it with to("float32").`;
}

/** @throws ArgumentError for what is no dtype, such as PyTorch's others. */
export function requireDType(op: string, dtype: DType): void {
  requireOneOf(op, "dtype", dtype, order);
}

/** @throws DTypeError for booleans. */
export function requireNumeric(op: string, dtype: DType): void {
  if (dtype !== "bool") return;
  throw dtypeError`${op}: the tensor must be numeric, got bool. Convert it with to("int32").`;
}

/** @throws DTypeError for what is no mask: neither a boolean nor, if that will do, floating. `what` begins the message. */
export function requireMask(what: string, mask: Tensor, orFloating: boolean = false): void {
  requireTensor(what, mask);
  const { dtype } = mask;
  if (dtype === "bool" || (orFloating && isFloat(dtype))) return;
  const rule = orFloating ? "bool or floating" : "bool";
  throw dtypeError`${what} must be ${rule}, got ${dtype}. Compare first, for example with ne(0).`;
}
