import { StateError } from "@gradloom/tensor";
import { checkModules, moduleList } from "./containers.ts";
import { Module } from "./module.ts";
import type { Part } from "./named-fields.ts";

/**
 * A list of modules: `new ModuleList([a, b])`. To iterate over; it has no `forward` of its own. The
 * keys are `0`, `1`, ….
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  readonly #items: M[];

  /** @throws ArgumentError if they are no list, or something else than a module is among them. */
  constructor(modules: Iterable<M> = []) {
    super();
    this.#items = moduleList("ModuleList", modules);
  }

  /** How many modules there are. */
  get length(): number {
    return this.#items.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): M | undefined {
    return this.#items.at(index);
  }

  /** Adds modules at the end. */
  push(...modules: M[]): this {
    checkModules("ModuleList", modules);
    this.#items.push(...modules);
    return this;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#items[Symbol.iterator]();
  }

  override namedParts(): [key: string, part: Part][] {
    return this.#items.map((module, index) => [String(index), module]);
  }

  /** @throws StateError always. */
  override forward(): never {
    throw new StateError("ModuleList: forward is not defined. Iterate over its modules.");
  }
}
