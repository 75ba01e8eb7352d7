import {
  constant,
  createArray,
  type DType,
  element,
  expand,
  type Node,
  scalar,
  type TypedArray,
} from "@gradloom/engine";
import { engine } from "./engine.ts";
import { argumentError, shapeError, show } from "./errors.ts";
import { type DataArray, dtypeOf, flatten, type TensorData } from "./nested.ts";
import { indices } from "./ops/masking.ts";
import { checkOptions } from "./options.ts";
import { requireDType, requireFloat } from "./promote.ts";
import { formula, record } from "./record.ts";
import { isCount, requireCount, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** What every function that makes a tensor takes. */
export interface TensorOptions {
  /** The element type; what is the default is said at each function. */
  readonly dtype?: DType;
  /** Whether gradients are computed for it. Default: no. */
  readonly requiresGrad?: boolean;
}

const maxElements = 2 ** 31 - 1;

/** @throws ShapeError unless `shape` is an array of sizes that a tensor can have. */
export function checkShape(shape: readonly number[], op: string): void {
  if (!Array.isArray(shape)) {
    throw shapeError`${op}: shape must be an array, got ${String(shape)}.`;
  }
  if (!shape.every((size) => isCount(size))) {
    throw shapeError`${op}: sizes must be integers of at least 0, got ${show(shape)}.`;
  }
  const count = sizeOf(shape);
  if (count > maxElements) {
    throw shapeError`${op}: a tensor must have at most ${maxElements} elements, got ${count} in ${shape}.`;
  }
}

/** A node in another dtype. */
export function cast(x: Node, dtype: DType): Node {
  return x.dtype === dtype ? x : element("cast", [x], dtype);
}

/** A tensor without history for a node: what all creation ends with. */
export function leaf(op: string, node: Node, options: TensorOptions = {}): Tensor {
  checkOptions(op, options, creationOptions);
  requireDType(op, node.dtype);
  const result = record(op, node);
  const { requiresGrad = false } = options;
  if (requiresGrad) requireFloat(op, result);
  result.requiresGrad = requiresGrad;
  return result;
}

/** All that functions which make a tensor can be told. */
const creationOptions = {
  dtype: true,
  requiresGrad: true,
  generator: true,
  copy: true,
  step: true,
  m: true,
};

/**
 * A tensor of the given numbers or booleans: a single one, a typed array, or nested arrays. The data is
 * copied. The default dtype is float32 for numbers, bool for booleans, and what it is for a typed array.
 *
 * @throws ShapeError if arrays are ragged; ArgumentError if an entry is not a number, or does not fit
 * into an integer dtype.
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  const { data: flat, shape, dtype } = flatten(data, options.dtype);
  return leaf("tensor", engine().input(flat, shape, dtype), options);
}

/** Options of {@link fromTypedArray}. */
export interface TypedArrayOptions extends TensorOptions {
  /**
   * Default true. `false` takes the array over instead of copying it, where its elements are of the dtype already; it must not
   * be changed any more.
   */
  readonly copy?: boolean;
}

/**
 * A tensor of the elements of a typed array, in row-major order. The array is copied unless `copy` is false; the default
 * dtype is the array's.
 *
 * @throws ShapeError if the shape does not have as many elements as the array.
 */
export function fromTypedArray(
  data: DataArray,
  shape: readonly number[] = [data.length],
  options: TypedArrayOptions = {},
): Tensor {
  const op = "fromTypedArray";
  checkShape(shape, op);
  if (sizeOf(shape) !== data.length) {
    throw shapeError`${op}: the shape must have as many elements as the array, got ${shape} for ${data.length} elements.`;
  }
  const { copy = true } = options;
  const own = copy ? undefined : elementsAs(data, options.dtype);
  const { data: flat, dtype } = own ?? flatten(data, options.dtype, op);
  return leaf(op, engine().input(flat, [...shape], dtype), options);
}

/** The array itself, if a tensor of the dtype can have it as its elements. Those of bool are 0 and 1, which bytes need not be. */
function elementsAs(
  data: DataArray,
  wanted: DType | undefined,
): { data: TypedArray; dtype: DType } | undefined {
  const dtype = dtypeOf(data);
  const like = createArray(dtype, 0);
  const fits = data.constructor === like.constructor && (wanted ?? dtype) === dtype;
  return fits ? { data: data as typeof like, dtype } : undefined;
}

/** All zeros. Default dtype: float32. */
export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return filled("zeros", shape, 0, options);
}

/** All ones. Default dtype: float32. */
export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return filled("ones", shape, 1, options);
}

/** Contents do not matter. Differs from PyTorch: they are zeros, which cost nothing here. */
export function empty(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return filled("empty", shape, 0, options);
}

function filled(
  op: string,
  shape: readonly number[],
  value: 0 | 1,
  options: TensorOptions,
): Tensor {
  checkShape(shape, op);
  const node = constant(value, options.dtype ?? "float32");
  return leaf(op, expand(node, [...shape]), options);
}

/**
 * Everywhere `value`. Default dtype: float32 for a number, bool for a boolean.
 *
 * @throws ArgumentError if the value does not fit into an integer dtype.
 */
export function full(
  shape: readonly number[],
  value: number | boolean,
  options: TensorOptions = {},
): Tensor {
  checkShape(shape, "full");
  const { data, dtype } = flatten(value, options.dtype, "full");
  return leaf("full", expand(scalar(data[0], dtype), [...shape]), options);
}

/** Zeros in the shape and dtype of `x`. */
export function zerosLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return filled("zerosLike", x.shape, 0, { dtype: x.dtype, ...options });
}

/** Ones in the shape and dtype of `x`. */
export function onesLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return filled("onesLike", x.shape, 1, { dtype: x.dtype, ...options });
}

/** Options of {@link arange}. */
export interface ArangeOptions extends TensorOptions {
  /** The distance between neighbours, which may be negative. Default: 1. */
  readonly step?: number;
}

/**
 * `start, start + step, start + 2·step, …` up to and without `end`; with one number, from 0 up to it.
 * Default dtype, as in PyTorch: int32 if all three are whole numbers, else float32.
 *
 * @throws ArgumentError if `step` is 0 or leads away from `end`.
 */
export function arange(end: number, options?: ArangeOptions): Tensor;
export function arange(start: number, end: number, options?: ArangeOptions): Tensor;
export function arange(
  first: number,
  second: number | ArangeOptions = {},
  third: ArangeOptions = {},
): Tensor {
  const [start, end, options] =
    typeof second === "number" ? [first, second, third] : [0, first, second];
  const { step = 1 } = options;
  const steps = (end - start) / step;
  if (!(steps >= 0) || !Number.isFinite(steps)) {
    throw argumentError`arange: step must lead from start to end, got start ${start}, end ${end}, step ${step}.`;
  }
  const length = Math.ceil(steps);
  checkShape([length], "arange");
  const dtype = options.dtype ?? ([start, end, step].every(Number.isInteger) ? "int32" : "float32");
  const isCounting = start === 0 && step === 1;
  const node = formula(() => {
    const index = indices(length);
    return (isCounting ? index : line(index, start, step)).to(dtype);
  });
  return leaf("arange", node, options);
}

/**
 * `steps` numbers at equal distances from `start` to `end`, both included. Default dtype: float32.
 *
 * @throws ArgumentError if `steps` is not an integer of at least 0.
 */
export function linspace(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions = {},
): Tensor {
  const op = "linspace";
  requireCount(op, "steps", steps, 0);
  checkShape([steps], op);
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  const node = formula(() => {
    const index = indices(steps);
    // The upper half is counted from the end, so that the last number is exactly `end`.
    const upper = line(index.sub(Math.max(steps - 1, 0)), end, step);
    const values = index.lt(Math.ceil(steps / 2)).where(line(index, start, step), upper);
    return values.to(options.dtype ?? "float32");
  });
  return leaf(op, node, options);
}

/** `start + step · index` in float64, so that rounding to another dtype comes once and last. */
function line(index: Tensor, start: number, step: number): Tensor {
  return index.to("float64").mul(step).add(start);
}

/** Options of {@link eye}. */
export interface EyeOptions extends TensorOptions {
  /** The number of columns. Default: that of rows. */
  readonly m?: number;
}

/** Ones on the diagonal, zeros elsewhere: `[n, n]`, or `[n, m]`. Default dtype: float32. */
export function eye(n: number, options: EyeOptions = {}): Tensor {
  const { m = n, dtype = "float32" } = options;
  checkShape([n, m], "eye");
  const node = formula(() => indices(n).unsqueeze(1).eq(indices(m)).to(dtype)); // [n, m]
  return leaf("eye", node, options);
}
