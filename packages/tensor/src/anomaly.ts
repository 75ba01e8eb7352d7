import { GradloomError, isFloat, type Node } from "@gradloom/engine";
import { engine } from "./engine.ts";
import { pathTo, show } from "./errors.ts";
import type { History } from "./history.ts";
import type { Tensor } from "./tensor.ts";
import { isSketch } from "./tracing.ts";

/** A NaN or an infinity appeared, with {@link setDetectAnomaly} on. */
export class AnomalyError extends GradloomError {
  override readonly name = "AnomalyError";
}

let detecting = false;
/** Within how many formulas: what a `where` hides at the end is nobody's mistake. */
let depth = 0;

/** What made a value, and where. */
interface Origin {
  readonly op: string;
  readonly stack: string;
}

/** Where differentiable operations were recorded. */
const origins = new WeakMap<History, string>();
/** What made nodes inside of `vmap`, which have no value there. */
const sketched = new WeakMap<Node, Origin>();

/**
 * Looks at each result as soon as it is recorded, forward and backward, and throws where a NaN or an infinity
 * appears: at the operation whose result is not finite although all that it was made of is (or is NaN although nothing
 * is), and in which modules that was. For a gradient the error also says where the operation was recorded that it
 * belongs to. As `torch.autograd.set_detect_anomaly`, which looks at gradients only.
 *
 * Everything is computed at once and one by one then, compiled functions included, so it is slow: a way to find a
 * mistake. Off, it costs nothing. Default: off.
 *
 * @example
 * ```ts
 * setDetectAnomaly(true);
 * tensor([1, 0]).log(); // AnomalyError: log: the result must be finite, got -Infinity at [1] …
 * ```
 */
export function setDetectAnomaly(mode: boolean): void {
  detecting = mode;
}

/** Whether {@link setDetectAnomaly} is on. */
export function isDetectingAnomaly(): boolean {
  return detecting;
}

/** Runs `fn` without looking at what is recorded in it. */
export function unwatched<T>(fn: () => T): T {
  depth++;
  try {
    return fn();
  } finally {
    depth--;
  }
}

/** @throws AnomalyError if something that is not finite appears in this result. */
export function watch(op: string, { node, history }: Tensor): void {
  if (depth > 0) return;
  if (history !== undefined) origins.set(history, stackHere());
  if (isSketch()) sketched.set(node, { op, stack: stackHere() });
  else {
    const message = (found: string) =>
      `${op}: the result must be finite, got ${found}.${modulesIn(stackHere())}`;
    inspect(node, message, op);
  }
}

/** {@link watch} for what an operation inside of `vmap` became for all examples. */
export function watchBatched(one: Node, all: Node): void {
  const origin = sketched.get(one);
  if (!detecting || origin === undefined || isSketch()) return;
  const { op, stack } = origin;
  const message = (found: string) =>
    `${op}: the result must be finite, got ${found}, with an axis of examples in front, inside of vmap(). ` +
    `"${op}" was recorded here:\n${stack}`;
  inspect(all, message, op);
}

/**
 * The gradient that an operation gives to an input.
 *
 * @throws AnomalyError if something that is not finite appears in it.
 */
export function watchGradient(rule: () => Tensor, history: History, input: number): Tensor {
  const gradient = unwatched(rule);
  if (isSketch()) return gradient;
  const { op } = history;
  const stack = origins.get(history);
  const origin =
    stack === undefined
      ? "It was recorded before setDetectAnomaly(true)."
      : `"${op}" was recorded here:${modulesIn(stack)}\n${stack}`;
  const message = (found: string) =>
    `backward: the gradient that "${op}" gives to its input ${input} must be finite, got ${found}. ${origin}`;
  inspect(gradient.node, message, op);
  return gradient;
}

/** The calls that have led here, deep enough to come from a network's innermost layer to the line that called the network. */
function stackHere(): string {
  const limits: ErrorConstructor & { stackTraceLimit?: number } = Error;
  const { stackTraceLimit } = limits;
  limits.stackTraceLimit = 100;
  const lines = (new Error().stack ?? "").split("\n");
  if (stackTraceLimit !== undefined) limits.stackTraceLimit = stackTraceLimit;
  return lines.slice(1).join("\n");
}

/** Of which modules a stack shows the `forward`, outermost first. */
function modulesIn(stack: string): string {
  const modules = Array.from(stack.matchAll(/^\s*at (\w+)\.forward /gm), ([, name]) => name);
  return modules.length === 0 ? "" : ` It was recorded in ${modules.reverse().join(" > ")}.`;
}

/** What is wrong with numbers: nothing, infinities, or NaNs as well. */
const finite = 0;
const infinite = 1;
const notANumber = 2;

function inspect(node: Node, message: (found: string) => string, op: string): void {
  if (!isFloat(node.dtype) || node.inputs.length === 0) return;
  // Once it is computed, a node forgets what it was made of.
  const sources = sourcesOf(node);
  const values = engine().readSync(node);
  const wrong = worst(values);
  if (wrong === finite || sources.some((source) => wrongIn(source) >= wrong)) return;
  const isWrong = (x: number) => (wrong === notANumber ? Number.isNaN(x) : !Number.isFinite(x));
  const first = values.findIndex(isWrong);
  const count = Array.from(values).filter(isWrong).length;
  const rest =
    wrong === notANumber
      ? "nothing that it was made of is NaN"
      : "all that it was made of is finite";
  const found =
    `${values[first]} at ${pathTo(first, node.shape)} of ${show(node.shape)} ` +
    `(${count} of ${values.length} elements), although ${rest}`;
  throw new AnomalyError(message(found), { op, shapes: [node.shape] });
}

/** The values that a node is made of. */
function sourcesOf(root: Node): Node[] {
  const sources: Node[] = [];
  const seen = new Set<Node>();
  const stack = [...root.inputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || !isFloat(node.dtype)) continue;
    seen.add(node);
    if (node.inputs.length === 0) sources.push(node);
    else stack.push(...node.inputs);
  }
  return sources;
}

function wrongIn(source: Node): number {
  if (source.op === "constant" && source.box === undefined) return worst(source.attributes);
  return worst(engine().readSync(source));
}

function worst(values: Iterable<number>): number {
  let wrong = finite;
  for (const x of values) {
    if (Number.isNaN(x)) return notANumber;
    if (!Number.isFinite(x)) wrong = infinite;
  }
  return wrong;
}
