import { isFloat } from "@gradloom/engine";
import { argumentError } from "../errors.ts";
import type { Gradient } from "../history.ts";
import type { Operand } from "../promote.ts";
import { literal } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { ge, gt, le, lt } from "./comparison.ts";
import { binary, promoted } from "./elementwise.ts";

/** The larger of `a` and `b`, NaN if either is; shapes broadcast. Equal values share the gradient. */
export function maximum(a: Tensor, b: Operand): Tensor {
  return extremum("maximum", "max", a, b);
}

/** The smaller of `a` and `b`, NaN if either is; shapes broadcast. Equal values share the gradient. */
export function minimum(a: Tensor, b: Operand): Tensor {
  return extremum("minimum", "min", a, b);
}

function extremum(name: string, op: "max" | "min", a: Tensor, b: Operand): Tensor {
  const [x, y] = promoted(name, a, b);
  const isMax = op === "max";
  if (x.dtype === "bool") return isMax ? x.logicalOr(y) : x.logicalAnd(y);
  const rules: Gradient[] = [(grad) => grad.mul(share(x, y)), (grad) => grad.mul(share(y, x))];
  return binary(name, op, x, y, isMax ? rules : rules.reverse());
}

/** 0 where `x < y`, ½ where they are equal, else 1: also where one is NaN, which is the result then. */
function share(x: Tensor, y: Tensor): Tensor {
  const most = x.eq(y).where(literal(0.5, x), literal(1, x));
  return x.lt(y).where(literal(0, x), most);
}

/** What `clamp` takes, if not the bounds themselves. */
export interface ClampOptions {
  readonly min?: Operand;
  readonly max?: Operand;
}

/**
 * `min(max(x, lower), upper)`; either bound may be missing: `x.clamp(0)`, `x.clamp(undefined, 1)`,
 * `x.clamp({ max: 1 })`. At a bound the slope is 1.
 *
 * @throws ArgumentError without any bound.
 */
export function clamp(
  x: Tensor,
  lower: Operand | ClampOptions | undefined,
  upper?: Operand,
): Tensor {
  const [min, max] = isBounds(lower) ? [lower.min, lower.max] : [lower, upper];
  if (min === undefined && max === undefined) {
    throw argumentError`clamp: one bound at least must be given, got none.`;
  }
  const above = min === undefined ? x : bounded("max", x, min);
  return max === undefined ? above : bounded("min", above, max);
}

function isBounds(value: Operand | ClampOptions | undefined): value is ClampOptions {
  return typeof value === "object" && !("node" in value);
}

function bounded(op: "max" | "min", a: Tensor, b: Operand): Tensor {
  const [x, bound] = promoted("clamp", a, b);
  if (!isFloat(x.dtype)) return extremum("clamp", op, x, bound);
  const [stays, leaves] = op === "max" ? [ge, lt] : [le, gt];
  const zero = literal(0, x);
  return binary("clamp", op, x, bound, [
    (grad) => stays(x, bound).where(grad, zero),
    (grad) => leaves(x, bound).where(grad, zero),
  ]);
}
