import { ArgumentError, noGrad, type Tensor, zeros } from "@gradloom/tensor";
import { checkNonNegative } from "./check-option.ts";
import { tensorsOf } from "./parameter-groups.ts";

/** Options of {@link clipGradNorm}. */
export interface ClipGradNormOptions {
  /** Which norm: the p-th root of the sum of p-th powers; `Infinity` is the largest. Default 2. */
  readonly normType?: number;
}

/**
 * Shortens all gradients together so that their norm is at most `maxNorm`; shorter ones stay as
 * they are.
 *
 * @returns the norm before clipping, a tensor without axes. It is computed with the step.
 * @throws ArgumentError if `maxNorm` is negative, `normType` not above 0, or `params` no list of tensors.
 */
export function clipGradNorm(
  params: Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  const { normType = 2 } = options;
  const op = "clipGradNorm";
  checkNonNegative(op, "maxNorm", maxNorm);
  if (!(normType > 0)) {
    throw new ArgumentError(`${op}: normType must be above 0, got ${normType}.`, { op });
  }
  const trained = withGradient(op, params);
  return noGrad(() => {
    if (trained.length === 0) return zeros([]);
    const norm = totalNorm(
      trained.map(({ gradient }) => gradient),
      normType,
    );
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    for (const { parameter, gradient } of trained) parameter.grad = gradient.mul(factor);
    // A value of its own, which nothing takes up: the step computes it, so it can be read afterwards.
    return norm.mul(1);
  });
}

/**
 * Cuts each element of each gradient to `[−clipValue, clipValue]`.
 *
 * @throws ArgumentError if `clipValue` is negative, or `params` no list of tensors.
 */
export function clipGradValue(params: Iterable<Tensor>, clipValue: number): void {
  const op = "clipGradValue";
  checkNonNegative(op, "clipValue", clipValue);
  noGrad(() => {
    for (const { parameter, gradient } of withGradient(op, params)) {
      parameter.grad = gradient.clamp(-clipValue, clipValue);
    }
  });
}

/** The norm of all elements of all gradients, of which there is one at least. */
function totalNorm(gradients: readonly Tensor[], normType: number): Tensor {
  const sizes = gradients.map((gradient) => gradient.abs());
  if (normType === Number.POSITIVE_INFINITY) {
    return sizes.map((size) => size.amax()).reduce((a, b) => a.maximum(b));
  }
  const sums = sizes.map((size) => size.pow(normType).sum());
  return sums.reduce((a, b) => a.add(b)).pow(1 / normType);
}

/** @throws ArgumentError if they are no list of tensors. */
function withGradient(
  op: string,
  params: Iterable<Tensor>,
): { parameter: Tensor; gradient: Tensor }[] {
  return tensorsOf(op, params).flatMap((parameter) => {
    const gradient = parameter.peekGrad();
    return gradient === null ? [] : [{ parameter, gradient }];
  });
}
