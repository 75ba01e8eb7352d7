import {
  ArgumentError,
  checkOptions,
  noGrad,
  StateError,
  type Tensor,
  zeros,
} from "@gradloom/tensor";
import { tensorsOf } from "./parameter-groups.ts";

/** Options of {@link clipGradNorm}. */
export interface ClipGradNormOptions {
  /** Which norm: the p-th root of the sum of p-th powers; `Infinity` is the largest. Default 2. */
  readonly normType?: number;
  /**
   * Whether a norm that is NaN or infinite is an error, with the gradients as they were. The norm is computed and read at
   * once then. Default false.
   */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Shortens all gradients together so that their norm is at most `maxNorm`; shorter ones stay as
 * they are. With `Infinity` all do, which measures the norm.
 *
 * @returns the norm before clipping, a tensor without axes. It is computed with the step.
 * @throws ArgumentError if `maxNorm` is negative, `normType` not above 0, or `params` no list of tensors. StateError if
 *   `errorIfNonfinite` and the norm is not finite.
 */
export function clipGradNorm(
  params: Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  const op = "clipGradNorm";
  checkOptions(op, options, { normType: true, errorIfNonfinite: true });
  const { normType = 2, errorIfNonfinite = false } = options;
  checkLimit(op, "maxNorm", maxNorm);
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
    if (errorIfNonfinite) checkFinite(op, norm.itemSync());
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
  checkLimit(op, "clipValue", clipValue);
  noGrad(() => {
    for (const { parameter, gradient } of withGradient(op, params)) {
      parameter.grad = gradient.clamp(-clipValue, clipValue);
    }
  });
}

/** Infinity is one, which clips nothing. */
function checkLimit(op: string, name: string, value: number): void {
  if (typeof value === "number" && value >= 0) return;
  throw new ArgumentError(`${op}: ${name} must be a number of at least 0, got ${value}.`, { op });
}

function checkFinite(op: string, norm: number): void {
  if (Number.isFinite(norm)) return;
  throw new StateError(
    `${op}: the norm of the gradients must be finite, got ${norm}. Without errorIfNonfinite they are scaled by it anyway.`,
    { op },
  );
}

/** The norm of all elements of all gradients, of which there is one at least. */
function totalNorm(gradients: readonly Tensor[], normType: number): Tensor {
  const sizes = gradients.map((gradient) => gradient.abs());
  if (normType === Number.POSITIVE_INFINITY) {
    return sizes.map(largest).reduce((a, b) => a.maximum(b));
  }
  const sums = sizes.map((size) => size.pow(normType).sum());
  return sums.reduce((a, b) => a.add(b)).pow(1 / normType);
}

/** Of no elements it is 0. */
function largest(sizes: Tensor): Tensor {
  return sizes.numel === 0 ? sizes.sum() : sizes.amax();
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
