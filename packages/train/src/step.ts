import { clipGradNorm, clipGradValue } from "@gradloom/optim";
import { realize, type Tensor } from "@gradloom/tensor";
import type { Batch } from "./batch.ts";
import type { Setup } from "./setup.ts";

/** What came of a step. Nothing of it has been read. */
export interface StepOutcome {
  readonly loss: Tensor;
  readonly weight: number;
  readonly gradNorm: Tensor | undefined;
}

/**
 * A step of the optimizer on a group of batches, as if they were one: the gradient of each counts as much as its
 * examples do. All but the last are computed on their own, so that the memory for one is enough.
 */
export function learn<Input, Target, Prediction>(
  op: string,
  setup: Setup<Input, Target, Prediction>,
  group: readonly Batch<Input, Target>[],
): StepOutcome {
  const { optimizer, metrics, schedule, average } = setup;
  const weights = group.map((batch) => setup.weight(batch));
  const weight = weights.reduce((sum, one) => sum + one, 0);
  optimizer.zeroGrad();
  const losses = group.map(([input, target], i) => {
    const prediction = setup.forward(input);
    const loss = setup.loss(op, prediction, target);
    const part = group.length === 1 || setup.isSum ? loss : loss.mul(weights[i] / weight);
    part.backward();
    for (const metric of metrics.values()) metric.update(prediction, target);
    if (i < group.length - 1) realize(part);
    return part.detach();
  });
  const loss = losses.reduce((sum, one) => sum.add(one));
  const gradNorm = clip(setup);
  optimizer.step();
  average?.update();
  if (setup.scheduleInterval === "step") schedule?.step();
  return { loss, weight: setup.isSum ? 1 : weight, gradNorm };
}

function clip<Input, Target, Prediction>({
  optimizer,
  clipGradNorm: maxNorm,
  clipGradValue: maxValue,
}: Setup<Input, Target, Prediction>): Tensor | undefined {
  const params = optimizer.paramGroups.flatMap((group) => group.params);
  if (maxValue !== undefined) clipGradValue(params, maxValue);
  return maxNorm === undefined ? undefined : clipGradNorm(params, maxNorm);
}
