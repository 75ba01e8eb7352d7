import { checkOptions, fromTypedArray, type Tensor } from "@gradloom/tensor";
import { refusal, requireInteger } from "./argument.ts";
import type { Batch } from "./collate.ts";
import { Dataset } from "./dataset.ts";

/** Options of {@link TextDataset}. */
export interface TextDatasetOptions {
  /** Length of a window. */
  readonly blockSize: number;
  /** How far windows are apart: 1 gives all windows. Default: `blockSize`, windows that share no input. */
  readonly stride?: number;
}

/**
 * Windows of a text for a language model: what is read, and the same moved by one, which is to be predicted.
 *
 * - Shape: items `[ids [blockSize], targets [blockSize]]`, batches `[batch, blockSize]` each, int32
 * @param ids - The text as numbers: see {@link Vocabulary}, or any tokenizer.
 * @throws ArgumentError if there are fewer than `blockSize + 1` ids, or an option is out of range.
 *
 * @example
 * ```ts
 * const vocabulary = Vocabulary.ofCharacters(text);
 * const dataset = new TextDataset(vocabulary.encode(text), { blockSize: 64, stride: 1 });
 * for await (const [ids, targets] of new DataLoader(dataset, { batchSize: 32, shuffle: true })) { … }
 * ```
 */
export class TextDataset extends Dataset<[Int32Array, Int32Array]> {
  readonly length: number;
  readonly blockSize: number;
  readonly #ids: Int32Array;
  readonly #stride: number;

  constructor(ids: ArrayLike<number>, options: TextDatasetOptions) {
    super();
    const op = "TextDataset";
    checkOptions(op, options, { blockSize: true, stride: true });
    const { blockSize, stride = blockSize } = options;
    if (typeof ids === "string" || !Number.isInteger(ids?.length)) {
      throw refusal(op, `ids must be a list of integers, got ${ids}. Encode a text first`);
    }
    requireInteger(op, "blockSize", blockSize, 1);
    requireInteger(op, "stride", stride, 1);
    if (ids.length <= blockSize) {
      throw refusal(
        op,
        `the text must have at least blockSize + 1 = ${blockSize + 1} ids, got ${ids.length}`,
      );
    }
    this.#ids = Int32Array.from(ids);
    this.blockSize = blockSize;
    this.#stride = stride;
    this.length = Math.floor((ids.length - 1 - blockSize) / stride) + 1;
  }

  get(index: number): [Int32Array, Int32Array] {
    const start = index * this.#stride;
    return [this.#window(start), this.#window(start + 1)];
  }

  override getBatch(indices: Int32Array): Batch<[Int32Array, Int32Array]> {
    return [this.#windows(indices, 0), this.#windows(indices, 1)];
  }

  #window(start: number): Int32Array {
    return this.#ids.slice(start, start + this.blockSize);
  }

  #windows(indices: Int32Array, shift: number): Tensor {
    const size = this.blockSize;
    const all = new Int32Array(indices.length * size);
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i] * this.#stride + shift;
      all.set(this.#ids.subarray(start, start + size), i * size);
    }
    return fromTypedArray(all, [indices.length, size]);
  }
}
