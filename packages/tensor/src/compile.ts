import { type Node, scalar } from "@gradloom/engine";
import { isDetectingAnomaly } from "./anomaly.ts";
import { Encounters, encounters, watch } from "./encounters.ts";
import { engine } from "./engine.ts";
import { argumentError } from "./errors.ts";
import { isGradEnabled } from "./grad-mode.ts";
import { requireTensor } from "./promote.ts";
import { requireSynchronous } from "./synchronous.ts";
import { Tensor } from "./tensor.ts";
import { isTracing, trace } from "./tracing.ts";

/** Traces of one function that are kept; the one that was not used for longest goes first. */
const mostTraces = 32;

/** A function as it ran for inputs of these shapes. */
interface Trace {
  /** Whether it is what `fn` would do for inputs of these shapes and dtypes. */
  readonly fits: (key: string) => boolean;
  /** Does it for other inputs. */
  readonly again: (inputs: readonly Node[]) => unknown;
}

/**
 * A function that does what `fn` does, without running it again: the first call with inputs of some shapes and
 * dtypes runs `fn` and remembers the plans, each later one runs just those on its inputs.
 *
 * `fn` may use and assign to states (a whole training step with `optimizer.step()`, say). Apart from that it
 * must be a function of its inputs: numbers and arrays that it uses stay what they were in the first call, and a state
 * that it makes is made in the first call alone, so a `new Tensor(x)` of what it computes belongs outside of it; one of
 * what it makes of its inputs is refused.
 * Optimizers and random numbers move on with each call, and the gradients that `fn` leaves behind are those of the last one. What is
 * {@link watch}ed, such as whether a module is in training, is heeded, and so is which tensors require a gradient: where it is
 * something else, `fn` runs again. So it does once a tensor that it uses has been assigned to for the first time, and each time
 * that it uses gradients from before, or adds to them. Results carry no history; but where an input requires a gradient, `fn` runs
 * as if it were not compiled.
 *
 * @throws ArgumentError if `fn` gives something else than a tensor, a list or an object of tensors, or nothing.
 * StateError if `fn` reads a value, or makes a state of its inputs.
 *
 * @example
 * ```ts
 * const predict = compile((x: Tensor) => model.forward(x).softmax(-1));
 * ```
 */
export function compile<Inputs extends readonly Tensor[], Result>(
  fn: (...inputs: Inputs) => Result,
): (...inputs: Inputs) => Result {
  const traces: Trace[] = []; // the one that was used last comes first
  return (...inputs: Inputs): Result => {
    // Inside of another function that is being compiled, it is a part of that; and gradients of inputs need the history.
    const leads = isGradEnabled() && inputs.some(({ requiresGrad }) => requiresGrad);
    if (leads || isTracing() || isDetectingAnomaly()) return fn(...inputs);
    const key = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    const at = traces.findIndex(({ fits }) => fits(key));
    if (at < 0) return first(fn, inputs, key, traces);
    traces.unshift(...traces.splice(at, 1));
    // What the plan assigns to must not be what it reads as an input.
    const values = inputs.map((input) => (input.state ? copyOf(input) : input.node));
    return traces[0].again(values) as Result;
  };
}

/** Does something now, and again each time that a compiled function which did it runs. */
export function onEachRun(fn: () => void): void {
  engine().effect(fn);
}

/**
 * A number that is asked for at each run of a plan, also when a compiled function runs again; in the dtype of
 * `like`.
 */
export function live(value: () => number, like: Tensor): Tensor {
  return new Tensor(scalar(value, like.dtype));
}

function first<Inputs extends readonly Tensor[], Result>(
  fn: (...inputs: Inputs) => Result,
  inputs: Inputs,
  key: string,
  traces: Trace[],
): Result {
  const current = engine();
  // Copies, so that what `fn` reaches in other ways, or gets twice, is not mistaken for an input.
  const copies = inputs.map(copyOf);
  const met = new Encounters(copies);
  const { result, recording } = current.record(copies, () =>
    trace("compile", () => {
      const leaves: readonly Tensor[] = copies.map((node) => new Tensor(node));
      return encounters.run(met, () => {
        const returned = take(requireSynchronous("compile", fn(...(leaves as Inputs))));
        current.realize(returned.tensors.map(({ node }) => node));
        watch(() => engine().backend);
        watch(isGradEnabled);
        // At the end: a function may freeze parameters for a while.
        for (const tensor of met.used) watch(() => tensor.requiresGrad);
        return returned;
      });
    }),
  );
  const outputs = result.tensors.map(({ node }) => node);
  const gradients = [...met.gradients].map((tensor): [Tensor, number] => {
    const gradient = tensor.peekGrad();
    return [tensor, gradient === null ? -1 : outputs.push(gradient.node) - 1];
  });
  /** Makes what `fn` returns, and gives tensors the gradients that it leaves behind. */
  const finish = (nodes: readonly Node[]) => {
    const tensors = nodes.map((node) => new Tensor(node));
    for (const [tensor, at] of gradients) tensor.grad = tensors[at] ?? null;
    return result.rebuild(tensors);
  };
  const fits = (other: string) => other === key && met.holds.every((holds) => holds());
  const again = (values: readonly Node[]) => finish(current.replay(recording, values, outputs));
  if (!met.usesGradient && traces.unshift({ fits, again }) > mostTraces) traces.pop();
  return finish(outputs) as Result;
}

/** The value as it is now, in a leaf of its own. */
function copyOf(x: Tensor): Node {
  requireTensor("compile", x);
  return engine().input(engine().readSync(x.node), x.shape, x.dtype);
}

/** The tensors in what a function returned, and how to put others, the first of a list, in their places. */
function take(returned: unknown): {
  readonly tensors: readonly Tensor[];
  readonly rebuild: (others: readonly Tensor[]) => unknown;
} {
  if (returned === undefined || returned instanceof Tensor) {
    return { tensors: returned ? [returned] : [], rebuild: ([tensor]) => returned && tensor };
  }
  if (returned && typeof returned === "object") {
    const names = Object.keys(returned);
    const tensors: readonly unknown[] = Object.values(returned);
    if (tensors.every((value) => value instanceof Tensor)) {
      const rebuild = Array.isArray(returned)
        ? (others: readonly Tensor[]) => others.slice(0, names.length)
        : (others: readonly Tensor[]) =>
            Object.fromEntries(names.map((name, i) => [name, others[i]]));
      return { tensors, rebuild };
    }
  }
  throw argumentError`compile: fn must return a tensor, a list or an object of tensors, got ${typeof returned}.`;
}
