import { type Backend, type Node, type Recording, scalar } from "@gradloom/engine";
import { isDetectingAnomaly } from "./anomaly.ts";
import { engine } from "./engine.ts";
import { argumentError } from "./errors.ts";
import { requireSynchronous } from "./synchronous.ts";
import { Tensor } from "./tensor.ts";
import { isTracing, trace } from "./tracing.ts";

/** Traces of one function that are kept; the one that was not used for longest goes first. */
const mostTraces = 32;

/** A function as it ran for inputs of these shapes. */
interface Trace {
  readonly backend: Backend;
  readonly recording: Recording;
  readonly outputs: readonly Node[];
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
}

/**
 * A function that does what `fn` does, without running it again: the first call with inputs of some shapes and
 * dtypes runs `fn` and remembers the plans, each later one runs just those on its inputs.
 *
 * `fn` may use and assign to states (a whole training step with `optimizer.step()`, say). Apart from that it
 * must be a function of its inputs: numbers, arrays and other tensors that it uses stay what they were in the
 * first call. Optimizers and random numbers move on with each call. Results carry no history.
 *
 * @throws ArgumentError if `fn` gives something else than a tensor, a list or an object of tensors, or nothing.
 * StateError if `fn` reads a value.
 *
 * @example
 * ```ts
 * const predict = compile((x: Tensor) => model.forward(x).softmax(-1));
 * ```
 */
export function compile<Inputs extends readonly Tensor[], Result>(
  fn: (...inputs: Inputs) => Result,
): (...inputs: Inputs) => Result {
  const traces = new Map<string, Trace>();
  return (...inputs: Inputs): Result => {
    // Inside of another function that is being compiled, it is a part of that.
    if (isTracing() || isDetectingAnomaly()) return fn(...inputs);
    const key = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    const known = traces.get(key);
    traces.delete(key);
    if (known === undefined || known.backend !== engine().backend) {
      return first(fn, inputs, (made) => {
        traces.set(key, made);
        if (traces.size > mostTraces) traces.delete(traces.keys().next().value ?? "");
      });
    }
    traces.set(key, known);
    const { recording, outputs, rebuild } = known;
    // What the plan assigns to must not be what it reads as an input.
    const given = inputs.map((input) => (input.state === undefined ? input.node : copyOf(input)));
    const nodes = engine().replay(recording, given, outputs);
    return rebuild(nodes.map((node) => new Tensor(node))) as Result;
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
  keep: (trace: Trace) => void,
): Result {
  const current = engine();
  // Copies, so that what `fn` reaches in other ways, or gets twice, is not mistaken for an input.
  const copies = inputs.map(copyOf);
  const { result, recording } = current.record(copies, () => {
    return trace("compile", () => {
      const leaves: readonly Tensor[] = copies.map((node) => new Tensor(node));
      const returned = take(requireSynchronous("compile", fn(...(leaves as Inputs))));
      current.realize(returned.tensors.map(({ node }) => node));
      return returned;
    });
  });
  const outputs = result.tensors.map(({ node }) => node);
  keep({ backend: current.backend, recording, outputs, rebuild: result.rebuild });
  return result.rebuild(outputs.map((node) => new Tensor(node))) as Result;
}

/** The value as it is now, in a leaf of its own. */
function copyOf(x: Tensor): Node {
  return engine().input(engine().readSync(x.node), x.shape, x.dtype);
}

/** The tensors in what a function returned, and how to put others in their places. */
function take(returned: unknown): Pick<Trace, "rebuild"> & { readonly tensors: readonly Tensor[] } {
  if (returned === undefined) return { tensors: [], rebuild: () => undefined };
  if (returned instanceof Tensor) return { tensors: [returned], rebuild: ([tensor]) => tensor };
  if (typeof returned === "object" && returned !== null) {
    const entries = Object.entries(returned);
    const tensors = entries.map(([, value]) => value).filter((value) => value instanceof Tensor);
    if (tensors.length === entries.length) {
      if (Array.isArray(returned)) return { tensors, rebuild: (others) => [...others] };
      const names = entries.map(([name]) => name);
      const rebuild = (others: readonly Tensor[]) =>
        Object.fromEntries(others.map((tensor, i) => [names[i], tensor]));
      return { tensors, rebuild };
    }
  }
  throw argumentError`compile: fn must return a tensor, a list or an object of tensors, got ${typeof returned}.`;
}
