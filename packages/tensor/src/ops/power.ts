import { isFloat } from "@gradloom/engine";
import { argumentError } from "../errors.ts";
import { type Operand, requireNumeric, resultType } from "../promote.ts";
import { literal, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { binary, promoted, zeroGradient } from "./elementwise.ts";

/**
 * `base ^ exponent`; shapes broadcast. The exponents -1, -0.5, 0, 0.5, 1, 2 and 3 are simpler operations.
 *
 * @throws ArgumentError for an integer tensor with a negative exponent.
 */
export function pow(base: Tensor, exponent: Operand): Tensor {
  if (typeof exponent === "number") {
    const simple = simplePower(base.to(resultType("pow", base, exponent)), exponent);
    if (simple) return simple;
  }
  const [x, p] = promoted("pow", base, exponent);
  requireNumeric("pow", x.dtype);
  if (!isFloat(x.dtype)) {
    if (typeof exponent === "number" && exponent < 0) {
      throw argumentError`pow: an integer tensor must have an exponent of at least 0, got ${exponent}. Convert it with to("float32").`;
    }
    return binary("pow", "pow", x, p);
  }
  const zero = literal(0, x);
  const one = literal(1, x);
  return binary("pow", "pow", x, p, [
    // Where the exponent is 0 the slope is 0, also at the base 0, where the formula has no value.
    (grad) => p.eq(zero).where(zero, grad.mul(p).mul(x.pow(p.sub(one)))),
    (grad, y) => x.eq(zero).logicalAnd(p.ge(zero)).where(zero, grad.mul(y).mul(x.log())),
  ]);
}

/** Powers by operations that are faster, exact, and simple to differentiate. */
function simplePower(x: Tensor, exponent: number): Tensor | undefined {
  const floating = isFloat(x.dtype);
  switch (exponent) {
    case 1:
      return x;
    case 2:
      return x.mul(x);
    case 3:
      return x.mul(x).mul(x);
    case 0:
      return record("pow", literal(1, x).expand(x.shape).node, [x], [zeroGradient]);
    case 0.5:
      return x.sqrt();
    case -0.5:
      return x.rsqrt();
    case -1:
      return floating ? x.reciprocal() : undefined;
    default:
      return undefined;
  }
}
