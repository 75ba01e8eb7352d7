import { type ErrorDetails, GradloomError, isFloat, type Node, reached } from "@gradloom/engine";
import { Context } from "./context.ts";
import { engine } from "./engine.ts";
import { pathTo, show } from "./errors.ts";
import type { History } from "./history.ts";
import type { Tensor } from "./tensor.ts";
import { isSketch } from "./tracing.ts";

/** A NaN or an infinity appeared, with {@link setDetectAnomaly} on. */
export class AnomalyError extends GradloomError {
  override readonly name = "AnomalyError";
  /** The path of the module in which it was recorded, from the outermost whose `forward` was running. */
  readonly module: string | undefined;

  constructor(message: string, details: ErrorDetails & { readonly module?: string | undefined }) {
    super(message, details);
    this.module = details.module;
  }
}

/** A module that is running. */
export interface ModulePlace {
  /** Its key in `namedModules()` of the outermost module that is running. */
  readonly path: string;
  /** For messages: which module of what. */
  readonly description: string;
}

/** Who knows which modules are running, which a stack does not say. */
export interface AnomalyContext {
  /** Detection was switched on, or off: there is no need to know it any longer. */
  watch(mode: boolean): void;
  /** The innermost module that is running, to be asked for later. */
  place(): () => ModulePlace | undefined;
}

let detecting = false;
const limits: ErrorConstructor & { stackTraceLimit?: number } = Error;
/** Stacks that come from a network's innermost layer to the line that called the network; or as they were before. */
let otherLimit = 100;
let context: AnomalyContext | undefined;
/** Not within formulas: what a `where` hides at the end is nobody's mistake. */
const watching = new Context(true);

/** Where something was recorded. */
interface Origin {
  readonly op: string;
  readonly stack: string;
  readonly place: (() => ModulePlace | undefined) | undefined;
}

/** Where differentiable operations were recorded. */
const origins = new WeakMap<History, Origin>();
/** What made nodes inside of `vmap`, which have no value there. */
const sketched = new WeakMap<Node, Origin>();

/**
 * Looks at each result as soon as it is recorded, forward and backward, and throws where a NaN or an infinity
 * appears: at the operation whose result is not finite although all that it was made of is (or is NaN although nothing
 * is). The error names the line and the path of the module, such as `blocks.3.attention`, where that operation was recorded;
 * for a gradient, the operation that it belongs to. As `torch.autograd.set_detect_anomaly`, which looks at gradients only.
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
  if (mode !== detecting) {
    [limits.stackTraceLimit, otherLimit] = [otherLimit, limits.stackTraceLimit ?? 10];
  }
  detecting = mode;
  context?.watch(mode);
}

/** Says who knows which modules are running: `@gradloom/layers` does. */
export function setAnomalyContext(modules: AnomalyContext): void {
  context = modules;
  modules.watch(detecting);
}

/** Whether {@link setDetectAnomaly} is on. */
export function isDetectingAnomaly(): boolean {
  return detecting;
}

/** Runs `fn` without looking at what is recorded in it. */
export function unwatched<T>(fn: () => T): T {
  return watching.run(false, fn);
}

/** @throws AnomalyError if something that is not finite appears in this result. */
export function watch(op: string, { node, history }: Tensor): void {
  if (!watching.value) return;
  const origin = originHere(op);
  if (history) origins.set(history, origin);
  if (isSketch()) sketched.set(node, origin);
  else inspect(node, origin, `${op}: the result`);
}

/** {@link watch} for what an operation inside of `vmap` became for all examples. */
export function watchBatched(one: Node, all: Node): void {
  const origin = sketched.get(one);
  if (!detecting || !origin || isSketch()) return;
  inspect(all, origin, `${origin.op}: the result inside of vmap()`, origin.stack);
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
  const origin = origins.get(history) ?? { op, stack: "", place: undefined };
  const what = `backward: the gradient that "${op}" gives to its input ${input}`;
  inspect(gradient.node, origin, what, origin.stack || "before setDetectAnomaly(true).");
  return gradient;
}

function originHere(op: string): Origin {
  const { stack = "" } = new Error();
  return { op, stack: stack.slice(stack.indexOf("\n") + 1), place: context?.place() };
}

/** The first line of a stack that is not Gradloom's. None where a bundler has put all in one file. */
function usersLine(stack: string): string | undefined {
  const lines = stack.split("\n").map((line) => line.replace(/^ *at /, ""));
  const home = /([^\s(]*\/)tensor\/(?:src|dist)\//.exec(lines[0])?.[1];
  if (home === undefined) return undefined;
  const isOurs = (line: string) =>
    line.includes("/@gradloom/") || /^[\w-]+\/(src|dist)\//.test(line.split(home)[1] ?? "");
  return lines.find((line) => /:\d+:\d/.test(line) && !isOurs(line));
}

/** What is wrong with a number: nothing, that it is infinite, or worse, that it is NaN. */
const severity = (x: number): number => (Number.isNaN(x) ? 2 : Number(!Number.isFinite(x)));

/**
 * @param what - What must be finite, for the message.
 * @param past - The stack where it was recorded, if that is not the present one.
 */
function inspect(node: Node, { op, stack, place }: Origin, what: string, past?: string): void {
  if (!isFloat(node.dtype) || node.inputs.length === 0) return;
  // Once it is computed, a node forgets what it was made of.
  const sources = sourcesOf(node);
  const values = engine().readSync(node);
  const wrong = worst(values);
  if (wrong === 0 || sources.some((source) => wrongIn(source) >= wrong)) return;
  const isWrong = (x: number) => severity(x) === wrong;
  const first = values.findIndex(isWrong);
  const count = Array.from(values).filter(isWrong).length;
  const line = usersLine(stack);
  const module = place?.();
  const text =
    `${what} must be finite, got ${values[first]} at ${pathTo(first, node.shape)} of ${show(node.shape)} ` +
    `(${count} of ${values.length} elements), although nothing that it was made of is ${wrong > 1 ? "NaN" : "infinite"}.` +
    (line ? ` Line: ${line}.` : "") +
    (module ? ` Module: ${module.description}.` : "") +
    (past === undefined ? "" : ` "${op}" was recorded ${stack && "here:\n"}${past}`);
  throw new AnomalyError(text, { op, shapes: [node.shape], module: module?.path });
}

/** The values that a node is made of. */
function sourcesOf(root: Node): Node[] {
  const nodes = reached(root.inputs, ({ dtype, inputs }) => (isFloat(dtype) ? inputs : []));
  return [...nodes].filter(({ dtype, inputs }) => isFloat(dtype) && inputs.length === 0);
}

function wrongIn(source: Node): number {
  if (source.op === "constant" && !source.box) return worst(source.attributes);
  return worst(engine().readSync(source));
}

function worst(values: Iterable<number>): number {
  let wrong = 0;
  for (const x of values) wrong = Math.max(wrong, severity(x));
  return wrong;
}
