import { Module } from "@gradloom/layers";
import { ShapeError, type Tensor } from "@gradloom/tensor";
import {
  checkLossOptions,
  checkReduction,
  type LossOptions,
  type Reduction,
  reduce,
} from "./reduction.ts";

/** Options of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingLossOptions extends LossOptions {
  /** Up to which cosine two embeddings that should differ cost nothing. In [−1, 1], default 0. */
  readonly margin?: number;
}

const known = { reduction: true, margin: true } as const;

/**
 * How far two embeddings are from pointing the same way, where `y` is 1, or from pointing
 * elsewhere, where `y` is −1: `1 − cos(x1, x2)`, or `max(0, cos(x1, x2) − margin)`.
 *
 * - Shape: `x1` and `x2` `[N, D]` with `y [N]`, or `[D]` with `[]`
 * @throws ShapeError if the shapes do not fit.
 */
export function cosineEmbeddingLoss(
  x1: Tensor,
  x2: Tensor,
  y: Tensor,
  options: CosineEmbeddingLossOptions = {},
): Tensor {
  checkLossOptions("cosineEmbeddingLoss", options, known, x1, x2, y);
  const { margin = 0, reduction } = options;
  const shapes = [x1.shape, x2.shape, y.shape];
  const [a, b, c] = shapes.map((shape) => shape.join(", "));
  if (a !== b || c !== x1.shape.slice(0, -1).join(", ") || x1.ndim === 0) {
    throw new ShapeError(
      `cosineEmbeddingLoss: shapes must be [N, D], [N, D] and [N], got [${a}], [${b}] and [${c}].`,
      { op: "cosineEmbeddingLoss", shapes },
    );
  }
  // As in PyTorch: a vector of zeros has a length, so that the cosine is 0 instead of undefined.
  const squared = (x: Tensor): Tensor => x.square().sum(-1).add(1e-12);
  const cosine = x1
    .mul(x2)
    .sum(-1)
    .div(squared(x1).mul(squared(x2)).sqrt());
  const same = cosine.neg().add(1);
  const different = cosine.sub(margin).clamp(0);
  const losses = y.eq(1).where(same, y.eq(-1).where(different, 0));
  return reduce("cosineEmbeddingLoss", losses, reduction);
}

/** {@link cosineEmbeddingLoss} as a module. */
export class CosineEmbeddingLoss extends Module {
  readonly margin: number;
  readonly reduction: Reduction;

  constructor(options: CosineEmbeddingLossOptions = {}) {
    super();
    checkLossOptions("CosineEmbeddingLoss", options, known);
    this.margin = options.margin ?? 0;
    this.reduction = checkReduction("CosineEmbeddingLoss", options.reduction);
  }

  forward(x1: Tensor, x2: Tensor, y: Tensor): Tensor {
    return cosineEmbeddingLoss(x1, x2, y, this);
  }
}
