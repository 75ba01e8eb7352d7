import { StateError } from "@gradloom/tensor";
import { checkKey, checkModules } from "./containers.ts";
import { Module } from "./module.ts";
import type { Part } from "./named-fields.ts";

/**
 * Modules by name: `new ModuleDict({ left: a, right: b })`. Iterates over `[name, module]` in the
 * order in which they were added; it has no `forward` of its own. The names are the keys, as they
 * are.
 */
export class ModuleDict<M extends Module = Module> extends Module implements Iterable<[string, M]> {
  readonly #items: Map<string, M> = new Map();

  /**
   * @throws ArgumentError if a name is empty or has a dot, or if something else than a module is
   *   among them.
   */
  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  /** How many modules there are. */
  get size(): number {
    return this.#items.size;
  }

  get(name: string): M | undefined {
    return this.#items.get(name);
  }

  has(name: string): boolean {
    return this.#items.has(name);
  }

  /** Adds a module, or replaces the one of this name. */
  set(name: string, module: M): this {
    checkKey("ModuleDict", name);
    checkModules("ModuleDict", [module]);
    this.#items.set(name, module);
    return this;
  }

  keys(): string[] {
    return [...this.#items.keys()];
  }

  values(): M[] {
    return [...this.#items.values()];
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.#items[Symbol.iterator]();
  }

  override namedParts(): [key: string, part: Part][] {
    return [...this.#items];
  }

  /** @throws StateError always. */
  override forward(): never {
    throw new StateError("ModuleDict: forward is not defined. Call the modules in it.");
  }
}
