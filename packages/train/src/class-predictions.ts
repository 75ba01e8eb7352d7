import { requireTensor, ShapeError, type Tensor } from "@gradloom/tensor";

/** What metrics of classes can be told. */
export interface ClassMetricOptions {
  /** The axis of the classes in scores. Default 1, as in the losses; −1 for a language model's `[batch, time, classes]`. */
  readonly axis?: number;
  /** Targets that do not count. Default: none. */
  readonly ignoreIndex?: number;
}

/** Their names, for `checkOptions`. */
export const classOptions: Readonly<Record<keyof ClassMetricOptions, true>> = {
  axis: true,
  ignoreIndex: true,
};

/** How a prediction gives classes: scores with one axis more than the target, or the classes themselves. */
export type PredictionKind = "scores" | "classes";

/**
 * What a prediction is, beside class indices.
 *
 * @throws ShapeError if it is neither scores `[…, C, …]` nor classes of the target's shape.
 */
export function predictionKind(
  op: string,
  prediction: Tensor,
  target: Tensor,
  axis: number,
): PredictionKind {
  requireTensor(op, prediction);
  requireTensor(op, target);
  if (String(prediction.shape) === String(target.shape)) return "classes";
  const at = axis < 0 ? axis + prediction.ndim : axis;
  const rest = prediction.shape.filter((_, i) => i !== at);
  if (prediction.ndim === target.ndim + 1 && String(rest) === String(target.shape)) return "scores";
  const [a, b] = [prediction, target].map(({ shape }) => `[${shape.join(", ")}]`);
  throw new ShapeError(
    `${op}: the prediction must have the target's shape, and classes on axis ${axis} unless it is class indices, got ${a} for ${b}. The option axis says where the classes are.`,
    { op, shapes: [prediction.shape, target.shape] },
  );
}
