import { type ModulePlace, requireTensor, setAnomalyContext } from "@gradloom/tensor";
import type { Module } from "./module.ts";

/** What has a `forward` around its own. */
const prototypes = new WeakSet<object>();
let watching = false;
/** The modules whose `forward` is running, outermost first; known only while anomalies are looked for. */
let running: readonly Module[] = [];

setAnomalyContext({
  watch(mode) {
    watching = mode;
  },
  place() {
    const modules = running;
    return () => placeOf(modules);
  },
});

/**
 * Says that there is a module of this class. Each class has a `forward` around its own, which knows what is running, and says so where
 * one was given something else than a tensor.
 */
export function noteClass(module: Module): void {
  // A class may inherit its `forward`, or call the one that it inherits.
  let prototype = Object.getPrototypeOf(module);
  while (prototype !== null && !prototypes.has(prototype)) {
    prototypes.add(prototype);
    const own = Object.getOwnPropertyDescriptor(prototype, "forward");
    if (typeof own?.value === "function") {
      Object.defineProperty(prototype, "forward", { ...own, value: watched(own.value) });
    }
    prototype = Object.getPrototypeOf(prototype);
  }
}

function watched<Inputs extends unknown[], Result>(
  forward: (this: Module, ...inputs: Inputs) => Result,
): (this: Module, ...inputs: Inputs) => Result {
  return function (this: Module, ...inputs: Inputs): Result {
    const outer = running;
    if (watching && outer.at(-1) !== this) running = [...outer, this];
    try {
      return forward.apply(this, inputs);
    } catch (error) {
      if (error instanceof TypeError) explain(error, this, inputs[0]);
      throw error;
    } finally {
      running = outer;
    }
  };
}

/** Numbers, lists of them and nothing at all are what is given by mistake; a module may take objects of any kind. */
function explain(error: TypeError, module: Module, input: unknown): void {
  const isObject = typeof input === "object" && input !== null;
  if (isObject && !Array.isArray(input) && !ArrayBuffer.isView(input)) return;
  requireTensor(module.constructor.name, input, error);
}

/** Where the last of these modules, each of which was called by the one before, is in the first. */
function placeOf(modules: readonly Module[]): ModulePlace | undefined {
  if (modules.length === 0) return undefined;
  const paths: string[] = [""];
  for (let i = 1; i < modules.length; i++) {
    // Mostly it is inside of the one that called it; what a private field holds is in none of them.
    let owner = i - 1;
    let key = keyIn(modules[owner], modules[i]);
    while (key === undefined && owner > 0) key = keyIn(modules[--owner], modules[i]);
    const last = key ?? `<${modules[i].constructor.name}>`;
    const above = paths[key === undefined ? i - 1 : owner];
    paths.push(above === "" ? last : `${above}.${last}`);
  }
  const path = paths[modules.length - 1];
  const [outermost, innermost] = [modules[0], modules[modules.length - 1]].map(
    (module) => module.constructor.name,
  );
  const description = path === "" ? outermost : `${path} (${innermost}) of ${outermost}`;
  return { path, description };
}

function keyIn(owner: Module, module: Module): string | undefined {
  return owner.namedModules().find(([, inner]) => inner === module)?.[0];
}
