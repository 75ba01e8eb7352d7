import { JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import { type Backend, Engine, type EngineStats, type Node } from "@gradloom/engine";
import { argumentError } from "./errors.ts";
import { checkOptions, requireOneOf } from "./options.ts";
import { requireTensor } from "./promote.ts";
import type { Tensor } from "./tensor.ts";

/** `"wasm"` is fast, `"js"` is plain TypeScript and runs where WebAssembly is not allowed. */
export type BackendName = "wasm" | "js";

/** Options of {@link setBackend}. */
export interface BackendOptions {
  /**
   * Products of matrices on vectors of 256 bits in `"wasm"`, in Node 24 and later on x64. V8's experimental flag
   * `--experimental-wasm-revectorize` is on while their code is compiled, some milliseconds, so ask for it before anything is
   * computed. Results are the same, to the last bit.
   * Default: `false`.
   */
  readonly wideSimd?: boolean;
}

let current: Engine | undefined;

/** Leaves whose gradients have been recorded since something was last settled. */
let withGradient: Tensor[] = [];

/** The engine that everything is recorded for; made at first use. */
export function engine(): Engine {
  current ??= createEngine(typeof WebAssembly === "object" ? "wasm" : "js");
  return current;
}

function createEngine(name: BackendName, options?: BackendOptions): Engine {
  const made = new Engine(createBackend(name, options));
  made.wanted = takeGradients;
  return made;
}

/** Says that a leaf has a new gradient: it is computed with whatever is settled next. */
export function announceGradient(leaf: Tensor): void {
  withGradient.push(leaf);
}

/**
 * Whether gradients have been recorded since something was last settled: a state that is assigned to again then belongs to the
 * next step of a training loop without an optimizer.
 */
export function gradientsWait(): boolean {
  return withGradient.length > 0;
}

function takeGradients(): readonly Node[] {
  const nodes: Node[] = [];
  for (const leaf of withGradient) {
    const gradient = leaf.peekGrad();
    if (gradient !== null) nodes.push(gradient.node);
  }
  withGradient = [];
  return nodes;
}

function createBackend(name: BackendName, options: BackendOptions = {}): Backend {
  requireOneOf("setBackend", "name", name, ["wasm", "js"]);
  checkOptions("setBackend", options, { wideSimd: true });
  if (name === "wasm") return new WasmBackend(options);
  if (options.wideSimd) throw argumentError`setBackend: wideSimd is for "wasm", got ${name}.`;
  return new JsBackend();
}

/**
 * Chooses what computes from now on; values that exist move along. Without a call it is `"wasm"` where
 * there is WebAssembly, `"js"` elsewhere.
 *
 * @example
 * setBackend("wasm", { wideSimd: true }); // Node 24 and later, called first: products take half the time
 *
 * @throws BackendError if the host lacks what is asked for.
 */
export function setBackend(name: BackendName, options?: BackendOptions): void {
  if (!current) current = createEngine(name, options);
  else current.use(createBackend(name, options));
}

/**
 * On how many threads kernels run. Results do not depend on it.
 *
 * @throws ArgumentError if `count` is not a positive integer.
 */
export function setNumThreads(count: number): void {
  engine().backend.setNumThreads(count);
}

/**
 * Computes the given tensors in one plan, together with every pending `assign` and everything that
 * depends on what those are about to change. Afterwards they can be read at no cost, and forget how
 * they were computed.
 */
export function realize(...tensors: readonly Tensor[]): void {
  for (const tensor of tensors) requireTensor("realize", tensor);
  settle(tensors);
}

/** {@link realize} for a list, which may be long: what an optimizer calls at the end of a step. */
export function settle(tensors: readonly Tensor[]): void {
  // States get their values in any case: what they were assigned is asked for by its own tensor alone.
  engine().realize(tensors.filter(({ state }) => !state).map((tensor) => tensor.node));
}

/** How much memory is in use, and what has been compiled. */
export function memoryStats(): EngineStats {
  return engine().stats();
}
