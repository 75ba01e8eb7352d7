import {
  ArgumentError,
  fromTypedArray,
  indexSelect,
  realize,
  requireTensor,
  ShapeError,
  type Tensor,
} from "@gradloom/tensor";
import type { Batch } from "./collate.ts";
import { Dataset } from "./dataset.ts";

/** A tensor for each of some tensors. */
export type SameTensors<Ts extends readonly Tensor[]> = { -readonly [K in keyof Ts]: Tensor };

/**
 * Rows of tensors of equal length: item `i` is row `i` of each. A batch is gathered in the plan that uses it, not row by
 * row.
 *
 * - Shape: tensors `[length, ...]` → items `[...]`, batches `[batch, ...]`
 * @throws ArgumentError without a tensor. ShapeError if a tensor has no axes, or another length.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 64, shuffle: true });
 * for await (const [x, y] of loader) { … }
 * ```
 */
export class TensorDataset<Ts extends readonly Tensor[]> extends Dataset<SameTensors<Ts>> {
  readonly length: number;
  readonly #tensors: readonly Tensor[];
  #isReady = false;

  constructor(...tensors: Ts) {
    super();
    const op = "TensorDataset";
    if (tensors.length === 0) {
      throw new ArgumentError(`${op}: tensors must be given, got none.`, { op });
    }
    for (const x of tensors) requireTensor(op, x);
    const length = tensors[0].shape[0];
    if (tensors.some((x) => x.ndim === 0 || x.shape[0] !== length)) {
      const shapes = tensors.map((x) => x.shape);
      const shown = shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ");
      throw new ShapeError(`${op}: tensors must have the same first size, got ${shown}.`, {
        op,
        shapes,
      });
    }
    this.length = length;
    this.#tensors = tensors.map((x) => x.detach());
  }

  get(index: number): SameTensors<Ts> {
    return this.#rows(Int32Array.of(index)).map((x) => x.squeeze(0)) as SameTensors<Ts>;
  }

  /** Rows by their indices: one `indexSelect` a tensor, which is computed where it is used. */
  override getBatch(indices: Int32Array): Batch<SameTensors<Ts>> {
    return this.#rows(indices) as Batch<SameTensors<Ts>>;
  }

  #rows(indices: Int32Array): Tensor[] {
    // Were they recorded only, each batch would compute them again.
    if (!this.#isReady) realize(...this.#tensors);
    this.#isReady = true;
    const index = fromTypedArray(indices);
    return this.#tensors.map((x) => indexSelect(x, index, 0));
  }
}
