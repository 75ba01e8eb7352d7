import { arange, checkIndices, requireTensor, ShapeError, type Tensor } from "@gradloom/tensor";

/** Class indices, set beside scores `[N, C, d1, …]`. */
export interface ClassTarget {
  /** The axis of the classes. */
  readonly axis: number;
  /** `[N, C, d1, …]`, bool: whether this class is the target's. */
  readonly picked: Tensor;
}

/**
 * Sets class indices beside scores `[N, C, d1, …]`, or `[C]`.
 *
 * @throws ShapeError if the target is not `[N, d1, …]`. DTypeError if it is not of integers. IndexError if an index is
 *   neither a class nor `ignoreIndex`: at once where the target is at hand, else when the loss is computed.
 */
export function classTarget(
  op: string,
  scores: Tensor,
  target: Tensor,
  ignoreIndex?: number,
): ClassTarget {
  const axis = classAxis(op, scores);
  const numClasses = scores.shape[axis];
  checkShape(op, scores, target, axis);
  const index = checkIndices(op, target, numClasses, ignoreIndex);
  const classes = arange(numClasses).reshape(alongAxis(scores, axis));
  return { axis, picked: index.unsqueeze(axis).eq(classes) };
}

/** The axis of the classes: the second, or the only one. */
export function classAxis(op: string, scores: Tensor): number {
  if (scores.ndim === 0) {
    throw new ShapeError(`${op}: scores must be [N, C, …] or [C], got [].`, {
      op,
      shapes: [scores.shape],
    });
  }
  return scores.ndim === 1 ? 0 : 1;
}

/** One weight for each class, so that it broadcasts to the scores. */
export function classWeights(op: string, scores: Tensor, weight: Tensor): Tensor {
  requireTensor(op, weight);
  const axis = classAxis(op, scores);
  const numClasses = scores.shape[axis];
  if (weight.ndim !== 1 || weight.shape[0] !== numClasses) {
    throw new ShapeError(
      `${op}: weight must have one value for each of ${numClasses} classes, got [${weight.shape.join(", ")}].`,
      { op, shapes: [scores.shape, weight.shape] },
    );
  }
  return weight.reshape(alongAxis(scores, axis));
}

function alongAxis(scores: Tensor, axis: number): number[] {
  return scores.shape.map((size, i) => (i === axis ? size : 1));
}

function checkShape(op: string, scores: Tensor, target: Tensor, axis: number): void {
  const expected = scores.shape.filter((_, i) => i !== axis);
  const [got, wanted] = [target.shape, expected].map((shape) => `[${shape.join(", ")}]`);
  if (got === wanted) return;
  throw new ShapeError(
    `${op}: class indices must be ${wanted} for scores [${scores.shape.join(", ")}], got ${got}.`,
    { op, shapes: [scores.shape, target.shape] },
  );
}
