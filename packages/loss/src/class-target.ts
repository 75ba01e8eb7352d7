import { ArgumentError, arange, DTypeError, ShapeError, type Tensor } from "@gradloom/tensor";

/** Class indices, set beside scores `[N, C, d1, …]`. */
export interface ClassTarget {
  /** The axis of the classes. */
  readonly axis: number;
  /** `[N, C, d1, …]`, bool: whether this class is the target's. */
  readonly picked: Tensor;
  /** `[N, d1, …]`, bool: whether this place counts. */
  readonly kept: Tensor;
  /** `[N, d1, …]`, bool: whether the target is a class, or ignored. */
  readonly valid: Tensor;
}

/**
 * Sets class indices beside scores `[N, C, d1, …]`, or `[C]`.
 *
 * @throws ShapeError if the target is not `[N, d1, …]`. DTypeError if it is not of integers.
 *   ArgumentError if an index that is known without waiting is not a class.
 */
export function classTarget(
  op: string,
  scores: Tensor,
  target: Tensor,
  ignoreIndex: number | undefined,
): ClassTarget {
  const axis = classAxis(op, scores);
  const numClasses = scores.shape[axis];
  checkTarget(op, scores, target, axis);
  checkIndices(op, target, numClasses, ignoreIndex);
  const index = target.to("int32");
  const classes = arange(numClasses).reshape(alongAxis(scores, axis));
  const picked = index.unsqueeze(axis).eq(classes);
  const known = index.ge(0).logicalAnd(index.lt(numClasses));
  if (ignoreIndex === undefined) return { axis, picked, kept: known, valid: known };
  const kept = index.ne(ignoreIndex);
  return { axis, picked, kept, valid: known.logicalOr(kept.logicalNot()) };
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

function checkTarget(op: string, scores: Tensor, target: Tensor, axis: number): void {
  const expected = scores.shape.filter((_, i) => i !== axis);
  const [got, wanted] = [target.shape, expected].map((shape) => `[${shape.join(", ")}]`);
  if (got !== wanted) {
    throw new ShapeError(
      `${op}: class indices must be ${wanted} for scores [${scores.shape.join(", ")}], got ${got}.`,
      { op, shapes: [scores.shape, target.shape] },
    );
  }
  if (target.dtype !== "int32" && target.dtype !== "uint8") {
    throw new DTypeError(
      `${op}: class indices must be int32 or uint8, got ${target.dtype}. ` +
        'Convert them with to("int32"), or give probabilities in the shape of the scores.',
      { op },
    );
  }
}

/** Where the indices are on the heap, looking at them costs no waiting. */
function checkIndices(
  op: string,
  target: Tensor,
  numClasses: number,
  ignoreIndex: number | undefined,
): void {
  const values = target.node.box?.host;
  if (values === undefined) return;
  for (let i = 0; i < values.length; i++) {
    const index = values[i];
    if ((index >= 0 && index < numClasses) || index === ignoreIndex) continue;
    const ignored = ignoreIndex === undefined ? "" : ` or ignoreIndex = ${ignoreIndex}`;
    throw new ArgumentError(
      `${op}: a class index must be in [0, ${numClasses - 1}]${ignored}, got ${index} at position ${i}.`,
      { op },
    );
  }
}
