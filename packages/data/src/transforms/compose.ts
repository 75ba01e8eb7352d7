import { refusal } from "../argument.ts";
import { Dataset, type Items } from "../dataset.ts";
import { type ItemsOrList, itemsOf } from "../items.ts";
import { Random } from "../random.ts";

/** What happens to an item. Everything random about it follows from `random`, so that a run can be repeated and resumed. */
export type Transform<A, B = A> = (item: A, random: Random) => B;

/** Transforms one after the other. */
export function compose<T>(...transforms: readonly Transform<T>[]): Transform<T> {
  return (item, random) => transforms.reduce((value, transform) => transform(value, random), item);
}

/**
 * A dataset whose items are those of another one, transformed when they are asked for; with other random numbers for each
 * item in each epoch.
 *
 * @example
 * ```ts
 * const augment = transforms.compose(transforms.randomCrop(28, { padding: 2 }), transforms.randomHorizontalFlip());
 * const dataset = mapDataset(pictures, ([picture, label], random) => [augment(picture, random), label]);
 * ```
 */
export function mapDataset<A, B>(
  dataset: ItemsOrList<A>,
  transform: Transform<A, B | Promise<B>>,
): Dataset<B> {
  if (typeof transform !== "function") {
    throw refusal("mapDataset", `transform must be a function of an item, got ${transform}`);
  }
  return new MappedDataset(itemsOf("mapDataset", dataset), transform);
}

class MappedDataset<A, B> extends Dataset<B> {
  readonly #dataset: Items<A>;
  readonly #transform: Transform<A, B | Promise<B>>;

  constructor(dataset: Items<A>, transform: Transform<A, B | Promise<B>>) {
    super();
    this.#dataset = dataset;
    this.#transform = transform;
  }

  get length(): number {
    return this.#dataset.length;
  }

  async get(index: number, seed: number): Promise<B> {
    return this.#transform(await this.#dataset.get(index, seed), new Random(seed));
  }
}
