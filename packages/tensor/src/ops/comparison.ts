import { type ElementOp, isFloat } from "@gradloom/engine";
import { settle } from "../engine.ts";
import type { Operand } from "../promote.ts";
import { literal } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { isTracing } from "../tracing.ts";
import { binary, promoted, unary } from "./elementwise.ts";

function compare(name: string, op: ElementOp, a: Tensor, b: Operand): Tensor {
  const [x, y] = promoted(name, a, b);
  return binary(name, op, x, y, undefined, "bool");
}

/** The same with the sides exchanged. */
function compareReversed(name: string, op: ElementOp, a: Tensor, b: Operand): Tensor {
  const [x, y] = promoted(name, a, b);
  return binary(name, op, y, x, undefined, "bool");
}

/** `a = b`, element by element: bool. Shapes broadcast, also below. */
export function eq(a: Tensor, b: Operand): Tensor {
  return compare("eq", "eq", a, b);
}

/** `a ≠ b`. */
export function ne(a: Tensor, b: Operand): Tensor {
  return compare("ne", "ne", a, b);
}

/** `a < b`. */
export function lt(a: Tensor, b: Operand): Tensor {
  return compare("lt", "lt", a, b);
}

/** `a ≤ b`. */
export function le(a: Tensor, b: Operand): Tensor {
  return compare("le", "le", a, b);
}

/** `a > b`. */
export function gt(a: Tensor, b: Operand): Tensor {
  return compareReversed("gt", "lt", a, b);
}

/** `a ≥ b`. */
export function ge(a: Tensor, b: Operand): Tensor {
  return compareReversed("ge", "le", a, b);
}

/** Whether both are not 0: bool. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return binary("logicalAnd", "and", a.to("bool"), b.to("bool"));
}

/** Whether one or both are not 0. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return binary("logicalOr", "or", a.to("bool"), b.to("bool"));
}

/** Whether it is 0. */
export function logicalNot(x: Tensor): Tensor {
  return unary("logicalNot", "not", x.to("bool"));
}

/** Whether it is NaN. */
export function isnan(x: Tensor): Tensor {
  return x.ne(x);
}

/** Whether it is infinite, of either sign. */
export function isinf(x: Tensor): Tensor {
  if (!isFloat(x.dtype)) return x.ne(x);
  return x.abs().eq(literal(Infinity, x));
}

/** Whether it is neither NaN nor infinite. */
export function isfinite(x: Tensor): Tensor {
  if (!isFloat(x.dtype)) return x.eq(x);
  return x.abs().lt(literal(Infinity, x));
}

/** How close `allclose` wants values to be. */
export interface AllcloseOptions {
  /** Relative tolerance. Default: 1e-5. */
  readonly rtol?: number;
  /** Absolute tolerance. Default: 1e-8. */
  readonly atol?: number;
  /** Whether NaN equals NaN. Default: false. */
  readonly equalNan?: boolean;
}

/** Whether `|a - b| ≤ atol + rtol · |b|` holds everywhere, of the values as they are read. Reads the answer at once. */
export function allclose(a: Tensor, b: Tensor, options: AllcloseOptions = {}): boolean {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  // One after the other: in one plan, sums of the same numbers may be added up in another order.
  if (!isTracing()) [[a], [b]].forEach(settle);
  const [x, y] = promoted("allclose", a, b, (dtype) => (isFloat(dtype) ? dtype : "float64"));
  // Infinities are close to themselves only: their difference is NaN, and the bound would be infinite.
  const near = x.sub(y).abs().le(y.abs().mul(rtol).add(atol)).logicalAnd(isfinite(y));
  const close = x.eq(y).logicalOr(near);
  const result = equalNan ? close.logicalOr(isnan(x).logicalAnd(isnan(y))) : close;
  return result.all().itemSync() === 1;
}
