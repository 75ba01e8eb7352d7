import { broadcastShapes, matmul as matmulNode, type ShapeError } from "@gradloom/engine";
import { shapeError } from "../errors.ts";
import type { Gradients } from "../history.ts";
import { checkOptions } from "../options.ts";
import { promote, requireNumeric, requireTensor } from "../promote.ts";
import { record } from "../record.ts";
import { sizeAt, sizeOf, spliced } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The matrix product, by PyTorch's rules: a vector on the left counts as a row, on the right as a column, and
 * its axis vanishes again; axes in front of the last two are batches, and broadcast.
 *
 * - Shape: `[..., m, k] × [..., k, n] -> [..., m, n]`
 * @throws ShapeError if the inner sizes differ, the batches do not broadcast, or an input is a scalar.
 * DTypeError for bool.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  requireTensor("matmul", a);
  requireTensor("matmul", b);
  if (a.ndim === 0 || b.ndim === 0) {
    throw shapeError`matmul: both tensors must have an axis, got ${a.shape} and ${b.shape}. Use mul().`;
  }
  const inner = sizeAt(a, -1);
  const other = b.shape[Math.max(b.ndim - 2, 0)];
  if (inner !== other) throw innerSizesDiffer(a, b, inner, other);
  const dtype = promote(a.dtype, b.dtype);
  requireNumeric("matmul", dtype);
  const x = a.to(dtype);
  const y = b.to(dtype);
  if (y.ndim === 1) return squeezed(matmul(x, y.unsqueeze(1)), -1);
  if (x.ndim === 1) return squeezed(matmul(x.unsqueeze(0), y), -2);
  if (x.ndim === 2 && y.ndim === 2) return product(x, y);
  // One matrix on the right: the batch on the left is just more rows.
  if (y.ndim === 2) {
    const rows = sizeOf(x.shape.slice(0, -1));
    return product(x.reshape([rows, inner]), y).reshape([...x.shape.slice(0, -1), y.shape[1]]);
  }
  return batched(x, y);
}

function squeezed(x: Tensor, dim: number): Tensor {
  return x.reshape(spliced(x.shape, x.ndim + dim, 1));
}

function batched(x: Tensor, y: Tensor): Tensor {
  const batch = broadcastShapes([x.shape.slice(0, -2), y.shape.slice(0, -2)]);
  if (!batch) {
    throw shapeError`matmul: the axes in front of the last two must broadcast, got ${x.shape} and ${y.shape}.`;
  }
  return product(
    x.expand([...batch, ...x.shape.slice(-2)]),
    y.expand([...batch, ...y.shape.slice(-2)]),
  );
}

const productRules: Gradients = [
  (grad, _, _a, b) => product(grad, b.transpose(-2, -1)),
  (grad, _, a) => product(a.transpose(-2, -1), grad),
];

/** Of matrices, or batches of the same shape. */
function product(x: Tensor, y: Tensor): Tensor {
  return record("matmul", matmulNode(x.node, y.node), [x, y], productRules);
}

function innerSizesDiffer(a: Tensor, b: Tensor, inner: number, other: number): ShapeError {
  let wayOut = "";
  if (b.ndim >= 2 && sizeAt(b, -1) === inner) {
    wayOut = ` Did you mean b.transpose(${b.ndim - 2}, ${b.ndim - 1})?`;
  } else if (a.ndim >= 2 && sizeAt(a, -2) === other) {
    wayOut = ` Did you mean a.transpose(${a.ndim - 2}, ${a.ndim - 1})?`;
  }
  return shapeError`matmul: cannot multiply ${a.shape} by ${b.shape}: the inner sizes ${inner} and ${other} differ.${wayOut}`;
}

/** The product of two matrices, nothing else: `[m, k] × [k, n] -> [m, n]`. */
export function mm(a: Tensor, b: Tensor): Tensor {
  requireAxes("mm", a, b, 2);
  return matmul(a, b);
}

/** The products of two batches of matrices: `[batch, m, k] × [batch, k, n] -> [batch, m, n]`. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  requireAxes("bmm", a, b, 3);
  if (a.shape[0] !== b.shape[0]) {
    throw shapeError`bmm: batch sizes must be equal, got ${a.shape} and ${b.shape}. matmul() broadcasts.`;
  }
  return matmul(a, b);
}

/** The inner product of two vectors: a scalar. */
export function dot(a: Tensor, b: Tensor): Tensor {
  requireAxes("dot", a, b, 1);
  return matmul(a, b);
}

/** The outer product of two vectors: `[m] × [n] -> [m, n]`. */
export function outer(a: Tensor, b: Tensor): Tensor {
  requireAxes("outer", a, b, 1);
  return a.unsqueeze(1).mul(b);
}

function requireAxes(op: string, a: Tensor, b: Tensor, ndim: number): void {
  requireTensor(op, a);
  requireTensor(op, b);
  if (a.ndim === ndim && b.ndim === ndim) return;
  const rule = ndim === 1 ? "1 axis" : `${ndim} axes`;
  throw shapeError`${op}: both tensors must have ${rule}, got ${a.shape} and ${b.shape}. Use matmul().`;
}

/** What `linear` takes. */
export interface LinearOptions {
  /** `[outFeatures]`. Default: none. */
  readonly bias?: Tensor | undefined;
}

/**
 * `x Wᵀ + b` over the last axis.
 *
 * - Shape: `x [..., inFeatures]`, `weight [outFeatures, inFeatures]` → `[..., outFeatures]`
 * @throws ShapeError if the last size of `x` is not that of `weight`.
 */
export function linear(x: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
  const { bias } = checkOptions("linear", options, { bias: true });
  requireTensor("linear", x);
  requireTensor("linear", weight);
  const inFeatures = sizeAt(weight, -1);
  if (weight.ndim !== 2 || x.ndim === 0 || sizeAt(x, -1) !== inFeatures) {
    throw shapeError`linear: the last size of x must be that of the matrix weight, got ${x.shape} and ${weight.shape}.`;
  }
  const y = matmul(x, weight.t());
  return bias ? y.add(bias) : y;
}
