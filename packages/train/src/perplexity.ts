import { crossEntropyLoss } from "@gradloom/loss";
import { checkOptions, ShapeError, stack, type Tensor } from "@gradloom/tensor";
import { type ClassMetricOptions, classOptions, predictionKind } from "./class-predictions.ts";
import { Metric } from "./metric.ts";

/**
 * `e` to the mean cross-entropy of all targets: among how many equally likely classes a model wavers.
 *
 * - Shape: logits `[N, C, d1, …]`, or with `axis: -1` `[N, d1, …, C]`, and class indices `[N, d1, …]`. As in
 *   `crossEntropyLoss`, −100 does not count unless `ignoreIndex` says otherwise
 */
export class Perplexity extends Metric {
  readonly name = "perplexity";
  readonly better = "min";
  readonly #options: ClassMetricOptions;

  constructor(options: ClassMetricOptions = {}) {
    super();
    checkOptions("Perplexity", options, classOptions);
    this.#options = options;
  }

  protected measure(logits: Tensor, target: Tensor): Tensor {
    const { axis = 1, ignoreIndex = -100 } = this.#options;
    if (predictionKind("Perplexity", logits, target, axis) === "classes") {
      throw new ShapeError(
        `Perplexity: logits must have an axis of classes, got [${logits.shape.join(", ")}] as the target's.`,
        { op: "Perplexity", shapes: [logits.shape, target.shape] },
      );
    }
    const classes = axis < 0 ? axis + logits.ndim : axis;
    const others = target.shape.map((_, i) => (i < classes ? i : i + 1));
    const rows = logits.permute([...others, classes]).flatten(0, -2); // [N · d1 · …, C]
    const losses = crossEntropyLoss(rows, target.flatten(), { ignoreIndex, reduction: "none" });
    const count = target.ne(ignoreIndex).to("int32").sum();
    // Summed in float64: a float32 would lose digits over many batches.
    return stack([losses.to("float64").sum(), count.to("float64")]);
  }

  protected value([sum, count]: Float64Array): number {
    return Math.exp(sum / count);
  }
}
