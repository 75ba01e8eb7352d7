import { constant, type DType, type Node, scalar } from "@gradloom/engine";
import { isDetectingAnomaly, unwatched, watch } from "./anomaly.ts";
import { Context } from "./context.ts";
import { engine } from "./engine.ts";
import { isGradEnabled, withGradMode } from "./grad-mode.ts";
import { type Gradients, History } from "./history.ts";
import { Tensor } from "./tensor.ts";
import { isSketch } from "./tracing.ts";

const none: readonly never[] = [];
const inside = new Context(false);

/**
 * The tensor for a recorded node: the last line of every operation. `gradients` has a rule for each input;
 * without any the result never requires a gradient.
 */
export function record(
  op: string,
  node: Node,
  inputs: readonly Tensor[] = none,
  gradients: Gradients = none,
): Tensor {
  const output = new Tensor(node);
  if (!isSketch()) {
    if (inside.value) engine().passed();
    else engine().track(node, isGradEnabled());
  }
  if (isGradEnabled()) {
    for (let i = 0; i < gradients.length; i++) {
      if (inputs[i].requiresGrad && gradients[i]) {
        output.requiresGrad = true;
        output.history = new History(op, inputs, gradients);
        break;
      }
    }
  }
  if (isDetectingAnomaly()) watch(op, output);
  return output;
}

/**
 * Runs `fn`, which records many operations of which nobody gets to see more than its results: should the engine find that there are too
 * many, it computes those, and not whatever is under way.
 */
export function unseen(fn: () => readonly Tensor[]): readonly Tensor[] {
  const results = inside.run(true, fn);
  if (!inside.value && !isSketch()) for (const { node } of results) engine().note(node);
  return results;
}

/** Whether gradients flow to what is recorded of these: if not, there is no need to list them. */
export function isDifferentiable(a: Tensor, b: Tensor = a): boolean {
  return (a.requiresGrad || b.requiresGrad) && isGradEnabled();
}

/** The node of a formula whose gradient has a rule of its own: nothing in it is recorded for gradients. */
export function formula(fn: () => Tensor): Node {
  return withGradMode(false, isDetectingAnomaly() ? () => unwatched(fn) : fn).node;
}

/** A number that a formula contains: part of the structure, in the dtype of `x`. */
export function literal(value: number, x: Tensor): Tensor {
  return new Tensor(constant(value, x.dtype));
}

/** A number that the caller gave: an input of the plan, so that another value compiles nothing. */
export function given(value: number, dtype: DType): Tensor {
  return new Tensor(scalar(value, dtype));
}
