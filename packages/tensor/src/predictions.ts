import type { Recorded } from "./autograd.ts";
import { engine } from "./engine.ts";
import type { Tensor } from "./tensor.ts";

/** Predictions of up to so many elements, together, can be read after the step. */
const mostHeld = 2 ** 18;

/**
 * Says that somebody may read predictions after the parameters have changed. They are, for a loss and for each scalar that it is made
 * of, the last tensor that all gradients pass through: whatever lies between the two can be computed from it.
 *
 * @param recorded - All that lies behind the loss, in order of creation.
 */
export function holdPredictions(loss: Tensor, recorded: readonly Recorded[]): void {
  for (const { tensor, history } of recorded) {
    const { inputs, gradients } = history;
    let last: Tensor | undefined = tensor;
    for (let i = 0; i < gradients.length; i++) {
      if (!gradients[i] || !inputs[i].requiresGrad) continue;
      const behind = inputs[i].history?.last;
      if (last === tensor) last = behind;
      else if (last !== behind) last = undefined;
    }
    history.last = last && last.numel <= mostHeld ? last : tensor;
  }
  let left = mostHeld;
  for (let i = recorded.length - 1; i >= 0; i--) {
    const { tensor, history } = recorded[i];
    const last = history.last!;
    const isPenalty = last.history!.inputs.every((x) => x.isLeaf && x.requiresGrad); // on parameters alone
    if (tensor !== loss && (tensor.ndim > 0 || isPenalty)) continue;
    if (last.node.isHeld || last.numel > left) continue;
    left -= last.numel;
    engine().hold(last.node);
  }
}
