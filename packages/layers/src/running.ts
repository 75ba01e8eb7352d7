import { type ModulePlace, setAnomalyContext } from "@gradloom/tensor";
import type { Module } from "./module.ts";

/** Of which classes there have been modules, by prototype. */
const prototypes = new Set<object>();
/** `forward` as a class defines it, while there is another in its place. */
const originals = new Map<object, PropertyDescriptor>();
let watching = false;
/** The modules whose `forward` is running, outermost first; known only while anomalies are looked for. */
let running: readonly Module[] = [];

// Which module is running costs a training step nothing, because nobody knows: only while an anomaly is looked for,
// each class has a `forward` that says so around its own.
setAnomalyContext({
  watch(mode) {
    watching = mode;
    if (mode) for (const prototype of prototypes) watch(prototype);
    else restore();
  },
  place() {
    const modules = running;
    return () => placeOf(modules);
  },
});

/** Says that there is a module of this class. */
export function noteClass(module: Module): void {
  const prototype = Object.getPrototypeOf(module);
  if (prototypes.has(prototype)) return;
  prototypes.add(prototype);
  if (watching) watch(prototype);
}

/** A class may inherit its `forward`, or call the one that it inherits. */
function watch(prototype: object): void {
  for (let at = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    const original = Object.getOwnPropertyDescriptor(at, "forward");
    if (typeof original?.value !== "function" || originals.has(at)) continue;
    originals.set(at, original);
    Object.defineProperty(at, "forward", { ...original, value: announced(original.value) });
  }
}

function restore(): void {
  for (const [prototype, original] of originals) {
    Object.defineProperty(prototype, "forward", original);
  }
  originals.clear();
}

function announced<Inputs extends unknown[], Result>(
  forward: (this: Module, ...inputs: Inputs) => Result,
): (this: Module, ...inputs: Inputs) => Result {
  return function (this: Module, ...inputs: Inputs): Result {
    const outer = running;
    if (outer.at(-1) !== this) running = [...outer, this];
    try {
      return forward.apply(this, inputs);
    } finally {
      running = outer;
    }
  };
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
