import { element } from "@gradloom/engine";
import { requireOneOf } from "../options.ts";
import { floatType, requireTensor } from "../promote.ts";
import { formula, given, literal, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";

/** `max(x, 0)`. Its slope at 0 is 0. */
export function relu(x: Tensor): Tensor {
  requireTensor("relu", x);
  if (x.dtype === "bool") return x;
  const zero = literal(0, x);
  const node = element("max", [x.node, zero.node], x.dtype);
  return record("relu", node, [x], [(grad, y) => y.le(zero).where(zero, grad)]);
}

/** `x` where positive, else `negativeSlope · x` (default 0.01). */
export function leakyRelu(x: Tensor, options: { readonly negativeSlope?: number } = {}): Tensor {
  requireTensor("leakyRelu", x);
  const slope = given(options.negativeSlope ?? 0.01, x.dtype);
  return x.gt(literal(0, x)).where(x, x.mul(slope));
}

/** `x` where positive, else `α (e^x - 1)` (default α = 1). */
export function elu(input: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  const x = floating("elu", input);
  const zero = literal(0, x);
  // The minimum keeps e^x finite where it is not used, for gradients of gradients.
  const negative = x.clamp(undefined, zero).expm1();
  const { alpha = 1 } = options;
  const scaled = alpha === 1 ? negative : negative.mul(alpha);
  return x.gt(zero).where(x, scaled);
}

/** `1 / (1 + e^-x)`. */
export function sigmoid(input: Tensor): Tensor {
  const x = floating("sigmoid", input);
  const one = literal(1, x);
  const node = formula(() => one.div(one.add(x.neg().exp())));
  return record("sigmoid", node, [x], [(grad, y) => grad.mul(y.mul(one.sub(y)))]);
}

/** `x · sigmoid(x)`. */
export function silu(input: Tensor): Tensor {
  const x = floating("silu", input);
  return x.mul(x.sigmoid());
}

/** What `gelu` takes. */
export interface GeluOptions {
  /** `"tanh"` is the approximation that GPT-2 uses. Default: `"none"`, exact. */
  readonly approximate?: "none" | "tanh";
}

/**
 * `x · Φ(x)`, where Φ is the distribution function of the normal distribution: `½ x (1 + erf(x/√2))`; or
 * approximately `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
 */
export function gelu(input: Tensor, options: GeluOptions = {}): Tensor {
  const x = floating("gelu", input);
  const { approximate = "none" } = options;
  requireOneOf("gelu", "approximate", approximate, ["none", "tanh"]);
  if (approximate === "none") {
    const phi = x.mul(literal(Math.SQRT1_2, x)).erf().add(literal(1, x)).mul(literal(0.5, x));
    return x.mul(phi);
  }
  // ½ (1 + tanh u) is sigmoid(2u), which does not cancel where it is small.
  const cubic = x.add(x.mul(x).mul(x).mul(literal(0.044715, x)));
  return x.mul(cubic.mul(literal(2 * Math.sqrt(2 / Math.PI), x)).sigmoid());
}

/** What `softplus` takes. */
export interface SoftplusOptions {
  /** Default: 1. */
  readonly beta?: number;
  /** Where `β x` is larger, the result is `x` itself. Default: 20. */
  readonly threshold?: number;
}

/** `log(1 + e^(β x)) / β`, a smooth `relu`. */
export function softplus(input: Tensor, options: SoftplusOptions = {}): Tensor {
  const x = floating("softplus", input);
  const { beta = 1, threshold = 20 } = options;
  const scaled = beta === 1 ? x : x.mul(beta);
  const linear = () => scaled.gt(given(threshold, x.dtype));
  const node = formula(() => {
    const y = scaled.exp().log1p();
    return linear().where(x, beta === 1 ? y : y.div(beta));
  });
  return record(
    "softplus",
    node,
    [x],
    [
      (grad) => {
        const slope = (beta === 1 ? x : x.mul(beta)).sigmoid();
        return linear().where(grad, grad.mul(slope));
      },
    ],
  );
}

/** `x · clamp(x + 3, 0, 6) / 6`. */
export function hardswish(input: Tensor): Tensor {
  const x = floating("hardswish", input);
  const six = literal(6, x);
  return x.mul(x.add(literal(3, x)).clamp(literal(0, x), six)).div(six);
}

/** `x · tanh(softplus(x))`. */
export function mish(input: Tensor): Tensor {
  const x = floating("mish", input);
  return x.mul(x.softplus().tanh());
}

function floating(op: string, x: Tensor): Tensor {
  requireTensor(op, x);
  return x.to(floatType(x.dtype));
}
