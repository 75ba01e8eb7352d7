import { constant, isFloat, repeat } from "@gradloom/engine";
import { partials } from "../autograd.ts";
import { argumentError } from "../errors.ts";
import { isGradEnabled } from "../grad-mode.ts";
import { History } from "../history.ts";
import { once } from "../once.ts";
import { literal, record } from "../record.ts";
import { Tensor } from "../tensor.ts";
import { backwardLoop, zeros } from "./backward-loop.ts";
import { type ScanStep, TracedStep } from "./traced-step.ts";

/** What `scan` takes. */
export interface ScanOptions {
  /** From the last element to the first; output `t` still belongs to element `t`. Default: false. */
  readonly reverse?: boolean;
  /** How often to repeat the step. Default: the size of the first axis of the elements. */
  readonly length?: number;
}

/**
 * A loop over time as one operation,
 *
 *     [carry, output[t]] = step(carry, element[t])        t = 0 … length - 1
 *
 * `step` runs once, to be recorded: a thousand steps cost one plan of the same size as ten. What it uses from outside, the weights
 * of a cell, is the same in all steps. Gradients go through the loop in the opposite direction, in a loop of the same
 * kind, which reads what the steps have left behind; the gradient of a weight that steps multiply by is one matrix product over all steps.
 *
 * - `initial`: the carry before the first step; its tensors keep shape and dtype
 * - `elements`: `[length, ...]`; a step sees `[...]`
 * - Returns the carry after the last step, and the outputs, `[length, ...]`
 *
 * See `jax.lax.scan`. Memory for gradients is linear in the length.
 *
 * @throws ShapeError if a carry changes its shape or dtype, or elements differ in length. ArgumentError if there is no length, or
 * `step` draws random numbers: pass them as elements. StateError if `step` reads a value or calls `backward`.
 *
 * @example
 * ```ts
 * // h = tanh(x·W + h·U), for x of [time, batch, features]
 * const [[last], [all]] = scan(
 *   ([h], [x]) => {
 *     const next = x.matmul(w).add(h.matmul(u)).tanh();
 *     return [[next], [next]];
 *   },
 *   [zeros([batch, hidden])],
 *   [x],
 * );
 * ```
 */
export function scan(
  step: ScanStep,
  initial: readonly Tensor[],
  elements: readonly Tensor[] = [],
  options: ScanOptions = {},
): [carry: Tensor[], outputs: Tensor[]] {
  const { reverse = false, length = elements[0]?.shape[0] } = options;
  if (length === undefined) {
    throw argumentError`scan: elements or a length must be given, got neither. Pass { length }.`;
  }
  let traced!: TracedStep;
  const loop = repeat(
    length,
    (carry, element) => {
      traced = new TracedStep(step, carry, element, elements);
      const [carries, outputs] = traced.results;
      const nodes = outputs.map(({ node }) => node);
      return { carries: carries.map(({ node }) => node), outputs: [...nodes, ...traced.saved] };
    },
    initial.map(({ node }) => node),
    elements.map(({ node }) => node),
    reverse,
  );
  const [carries, outputs] = traced.results;
  const nodes = [...loop.carries, ...loop.outputs.slice(0, outputs.length)];
  const { captured } = traced;
  const inputs = [...initial, ...elements, ...captured];
  const results = [...carries, ...outputs];
  if (!isGradEnabled() || !inputs.some(({ requiresGrad }) => requiresGrad)) {
    const plain = nodes.map((node) => record("scan", node));
    return [plain.slice(0, carries.length), plain.slice(carries.length)];
  }
  // Gradients of all results meet in one place before any goes on to the inputs.
  let arrived: (Tensor | undefined)[] = [];
  const gradientsFor = once((_signal: Tensor) => {
    const gradOutputs = arrived;
    arrived = [];
    return isGradEnabled()
      ? differentiable(step, initial, elements, captured, gradOutputs, { reverse, length })
      : backwardLoop(
          traced,
          length,
          reverse,
          elements.map(({ node }) => node),
          loop.outputs.slice(outputs.length),
          gradOutputs,
        );
  });
  const junction = new Tensor(constant(0, "float32"));
  junction.requiresGrad = true;
  junction.history = new History(
    "scan",
    inputs,
    inputs.map((input, i) =>
      traced.gradients[i] ? (signal) => gradientsFor(signal)[i] ?? zerosLike(input) : undefined,
    ),
  );
  const recorded = nodes.map((node, k) => {
    if (!results[k].requiresGrad) return record("scan", node);
    const rule = (grad: Tensor) => {
      arrived[k] = grad;
      return literal(0, junction);
    };
    return record("scan", node, [junction], [rule]);
  });
  return [recorded.slice(0, carries.length), recorded.slice(carries.length)];
}

/**
 * The same gradients from steps that are computed again, in a `scan`: so they can be differentiated themselves.
 */
function differentiable(
  step: ScanStep,
  initial: readonly Tensor[],
  elements: readonly Tensor[],
  captured: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  options: { readonly reverse: boolean; readonly length: number },
): (Tensor | null)[] {
  const before: ScanStep = (carry, element) => [step(carry, element)[0], carry];
  const [, carries] = scan(before, initial, elements, options);
  const float = initial.map((_, i) => i).filter((i) => isFloat(initial[i].dtype));
  const given = gradOutputs.flatMap((grad, k) =>
    !grad || k < initial.length ? [] : [{ grad, k }],
  );
  const sums = captured.map(zerosLike);
  const back: ScanStep = (flowing, element) => {
    const behind = given.length + elements.length;
    const [x, carry] = [element.slice(given.length, behind), element.slice(behind)];
    const [next, outputs] = step(carry, x);
    const results = [...next, ...outputs];
    const seeds = results.map((result, k) => {
      if (!result.requiresGrad) return undefined;
      const at = k < next.length ? float.indexOf(k) : given.findIndex((entry) => entry.k === k);
      if (at < 0) return zerosLike(result);
      return k < next.length ? flowing[at] : element[at];
    });
    const used = results.map((_, k) => k).filter((k) => seeds[k] !== undefined);
    const inputs = [...float.map((i) => carry[i]), ...x, ...captured];
    const found = partials(
      "scan",
      used.map((k) => results[k]),
      inputs,
      used.map((k) => seeds[k]),
      true,
    ).map((gradient, i) => gradient ?? zerosLike(inputs[i]));
    const added = captured.map((_, i) =>
      flowing[float.length + i].add(found[float.length + x.length + i]),
    );
    return [
      [...found.slice(0, float.length), ...added],
      found.slice(float.length, float.length + x.length),
    ];
  };
  const [last, ofElements] = scan(
    back,
    [...float.map((i) => gradOutputs[i] ?? zerosLike(initial[i])), ...sums],
    [...given.map(({ grad }) => grad), ...elements, ...carries],
    { ...options, reverse: !options.reverse },
  );
  return [
    ...initial.map((_, i) => last[float.indexOf(i)] ?? null),
    ...ofElements,
    ...last.slice(float.length),
  ];
}

function zerosLike({ node }: Tensor): Tensor {
  return new Tensor(zeros(node));
}
