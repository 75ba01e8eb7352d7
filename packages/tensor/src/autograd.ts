import { isDetectingAnomaly, watchGradient } from "./anomaly.ts";
import { argumentError, shapeError, stateError } from "./errors.ts";
import { withGradMode } from "./grad-mode.ts";
import type { History } from "./history.ts";
import { holdPredictions } from "./predictions.ts";
import { literal } from "./record.ts";
import { listOf, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** What `backward` takes. */
export interface BackwardOptions {
  /** The gradient of whatever the loss is with respect to this tensor. Default: 1, for a scalar. */
  readonly gradient?: Tensor;
  /** Keeps the graph for another call. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Records the gradients so that they can be differentiated again. Default: false. */
  readonly createGraph?: boolean;
}

/** What `grad` takes. */
export interface GradOptions {
  /** The gradient of whatever the loss is with respect to each output. Default: 1, for scalars. */
  readonly gradOutputs?: Tensor | readonly Tensor[];
  /** Keeps the graph for another call. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Records the gradients so that they can be differentiated again. Default: false. */
  readonly createGraph?: boolean;
  /** Gives `null` for an input that the outputs do not depend on, instead of an error. Default: false. */
  readonly allowUnused?: boolean;
}

/** See {@link Tensor.backward}. */
export function backward(output: Tensor, options: BackwardOptions = {}): void {
  const { gradient, createGraph = false } = options;
  const gradients = differentiate("backward", [output], [gradient], options);
  gradient?.share();
  withGradMode(createGraph, () => {
    for (const [tensor, grad] of gradients) {
      const sum = tensor.peekGrad();
      tensor.grad = sum === null ? grad : sum.add(grad);
    }
  });
}

/**
 * The gradients of `wanted`, or of all leaves, and of tensors that retain theirs.
 *
 * @param stops - What lies behind them is not looked at.
 */
function differentiate(
  op: string,
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  options: BackwardOptions | GradOptions,
  wanted?: ReadonlySet<Tensor>,
  stops: ReadonlySet<Tensor> = new Set(),
): Map<Tensor, Tensor> {
  const { createGraph = false, retainGraph = createGraph } = options;
  const seeds = outputs.map((output, i) => seedFor(op, output, gradOutputs[i]));
  return withGradMode(createGraph, () => {
    const histories = collect(op, outputs, stops);
    if (!wanted) holdPredictions(outputs[0], histories);
    const gradients = propagate(outputs, seeds, histories, wanted);
    if (!retainGraph) for (const { history } of histories) history.free();
    return gradients;
  });
}

/**
 * The gradients of `outputs`, summed, with respect to each of `inputs`; `grad` fields stay as they are. `null` where there
 * is none and `allowUnused` is set. See {@link grad} in transforms.
 *
 * @throws ShapeError, StateError as {@link backward} does. ArgumentError if an input does not require a gradient, or
 * the outputs do not depend on it (unless `allowUnused`).
 */
export function gradients(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const from = listOf(outputs);
  const to = listOf(inputs);
  const given = options.gradOutputs ? listOf(options.gradOutputs) : [];
  if (given.length > 0 && given.length !== from.length) {
    throw argumentError`grad: gradOutputs must be as many as outputs, got ${given.length} for ${from.length}.`;
  }
  to.forEach((input, i) => {
    if (!input.requiresGrad) {
      throw argumentError`grad: inputs must require a gradient, got number ${i} that does not. Use requiresGrad_().`;
    }
  });
  const found = differentiate("grad", from, given, options, new Set(to));
  return to.map((input, i) => {
    const gradient = found.get(input);
    if (!gradient && !options.allowUnused) {
      throw argumentError`grad: inputs must be used, got number ${i} that is not. Pass { allowUnused: true } for null.`;
    }
    return gradient ?? null;
  });
}

/**
 * The gradients with respect to `inputs`, each as if it did not depend on the others: what lies behind them is not
 * looked at. `null` where there is none. The graph is kept.
 */
export function partials(
  op: string,
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  createGraph: boolean,
): (Tensor | null)[] {
  const wanted = new Set(inputs);
  const options = { createGraph, retainGraph: true };
  const gradients = differentiate(op, outputs, gradOutputs, options, wanted, wanted);
  return inputs.map((input) => gradients.get(input) ?? null);
}

/** The gradient that the walk starts with. */
function seedFor(op: string, output: Tensor, gradient: Tensor | undefined): Tensor {
  if (!output.requiresGrad) {
    throw stateError`${op}: the loss must require a gradient, got one that does not. Use requiresGrad_() on what it is made of, outside of noGrad().`;
  }
  if (!gradient) {
    if (output.numel !== 1) {
      throw shapeError`${op}: the loss must be a scalar, got ${output.shape}. Reduce it first, for example with mean().`;
    }
    return literal(1, output).expand(output.shape);
  }
  if (!sameShape(gradient.shape, output.shape)) {
    throw shapeError`${op}: the gradient must have the shape of the output, got ${gradient.shape} for ${output.shape}.`;
  }
  return gradient.to(output.dtype);
}

/** A tensor that is not a leaf, and how it came to be. */
export interface Recorded {
  readonly tensor: Tensor;
  readonly history: History;
}

let searches = 0;

/** All that lies behind the outputs, in order of creation, up to and without `stops`. */
function collect(op: string, outputs: readonly Tensor[], stops: ReadonlySet<Tensor>): Recorded[] {
  const found: Recorded[] = [];
  searches += 1;
  const stack = [...outputs];
  for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
    const { history } = tensor;
    if (!history || history.mark === searches || stops.has(tensor)) continue;
    history.check(op);
    history.mark = searches;
    found.push({ tensor, history });
    for (const input of history.inputs) if (input.requiresGrad) stack.push(input);
  }
  return found.sort((a, b) => a.history.order - b.history.order);
}

/**
 * Walks from the outputs back to the inputs. Every tensor has its whole gradient when its turn comes: all
 * that used it were created later.
 *
 * @param wanted - Tensors whose gradients are asked for, or `undefined` for all leaves.
 * @returns The gradients of those, and of tensors that retain theirs.
 */
function propagate(
  outputs: readonly Tensor[],
  seeds: readonly Tensor[],
  histories: readonly Recorded[],
  wanted: ReadonlySet<Tensor> | undefined,
): Map<Tensor, Tensor> {
  const useful = wanted && leadingTo(wanted, histories);
  const pending = new Map<Tensor, Tensor>();
  const add = (tensor: Tensor, gradient: Tensor) => {
    const sum = pending.get(tensor);
    pending.set(tensor, sum ? sum.add(gradient) : gradient);
  };
  outputs.forEach((output, i) => {
    add(output, seeds[i]);
  });
  for (let h = histories.length - 1; h >= 0; h--) {
    const { tensor, history } = histories[h];
    const gradient = pending.get(tensor);
    if (!gradient) continue;
    const keep = wanted ? wanted.has(tensor) : history.retainsGrad;
    if (!keep) pending.delete(tensor);
    const { inputs, gradients } = history;
    for (let i = 0; i < gradients.length; i++) {
      const rule = gradients[i];
      const input = inputs[i];
      if (!rule || !input.requiresGrad) continue;
      if (useful && !useful.has(input)) continue;
      const found = isDetectingAnomaly()
        ? watchGradient(() => rule(gradient, tensor, ...inputs), history, i)
        : rule(gradient, tensor, ...inputs);
      add(input, sumTo(found, input.shape));
    }
  }
  return pending;
}

/** Those tensors through which gradients reach one of `wanted`. */
function leadingTo(wanted: ReadonlySet<Tensor>, histories: readonly Recorded[]): Set<Tensor> {
  const useful = new Set(wanted);
  for (const { tensor, history } of histories) {
    if (history.inputs.some((input) => useful.has(input))) useful.add(tensor);
  }
  return useful;
}

/** Undoes broadcasting: sums over the axes along which `shape` was repeated. */
function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const added = gradient.ndim - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < gradient.ndim; axis++) {
    if (axis < added || (shape[axis - added] === 1 && gradient.shape[axis] !== 1)) axes.push(axis);
  }
  return gradient.sum(axes).reshape(shape);
}
