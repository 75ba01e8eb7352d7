import { JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import { ArgumentError, type Backend, Engine, type EngineStats } from "@gradloom/engine";
import type { Tensor } from "./tensor.ts";

/** `"wasm"` is fast, `"js"` is plain TypeScript and runs where WebAssembly is not allowed. */
export type BackendName = "wasm" | "js";

let current: Engine | undefined;

/** The engine that everything is recorded for; made at first use. */
export function engine(): Engine {
  current ??= new Engine(createBackend(typeof WebAssembly === "object" ? "wasm" : "js"));
  return current;
}

function createBackend(name: BackendName): Backend {
  switch (name) {
    case "wasm":
      return new WasmBackend();
    case "js":
      return new JsBackend();
    default:
      name satisfies never;
      throw new ArgumentError(`setBackend: name must be "wasm" or "js", got ${String(name)}.`, {
        op: "setBackend",
      });
  }
}

/**
 * Chooses what computes from now on; values that exist move along. Without a call it is `"wasm"` where
 * there is WebAssembly, `"js"` elsewhere.
 */
export function setBackend(name: BackendName): void {
  const backend = createBackend(name);
  if (current === undefined) current = new Engine(backend);
  else current.use(backend);
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
  settle(tensors);
}

/** {@link realize} for a list, which may be long: what an optimizer calls at the end of a step. */
export function settle(tensors: readonly Tensor[]): void {
  engine().realize(tensors.map((tensor) => tensor.node));
}

/** How much memory is in use, and what has been compiled. */
export function memoryStats(): EngineStats {
  return engine().stats();
}
