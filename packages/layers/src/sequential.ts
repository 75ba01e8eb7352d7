import type { Tensor } from "@gradloom/tensor";
import { checkModules } from "./containers.ts";
import { type Layer, Module } from "./module.ts";
import type { Part } from "./named-fields.ts";

/** One layer after the other: `x → a → b → …`. The keys are `0`, `1`, …. */
export class Sequential extends Module implements Iterable<Layer> {
  readonly #layers: readonly Layer[];

  /** @throws ArgumentError if something else than a module is among them. */
  constructor(...layers: Layer[]) {
    super();
    checkModules("Sequential", layers);
    this.#layers = layers;
  }

  /** How many layers there are. */
  get length(): number {
    return this.#layers.length;
  }

  /** The layer at a position; negative ones count from the end. */
  at(index: number): Layer | undefined {
    return this.#layers.at(index);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.#layers[Symbol.iterator]();
  }

  override namedParts(): [key: string, part: Part][] {
    return this.#layers.map((layer, index) => [String(index), layer]);
  }

  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y), x);
  }
}
