import { argumentError, shapeError } from "../errors.ts";
import { formula, literal, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { addAlong, checkIndices, takeAlong } from "./indexing.ts";

/** What `embedding` takes. */
export interface EmbeddingOptions {
  /** A row whose gradient is always 0, counted from the end if negative. Default: none. */
  readonly paddingIdx?: number | undefined;
}

/**
 * The rows of a table that indices name: `result[…, j] = weight[ids[…], j]`.
 *
 * - Shape: `ids [...]` (int32 or uint8), `weight [n, dim]` -> `[..., dim]`
 * - Gradient: each row gets the sum over the places that name it, in the order of these, for any number of threads
 * @throws ShapeError if the weight is not a matrix. ArgumentError if it has no row `paddingIdx`. DTypeError if the ids
 *   are not of integers. IndexError if one is out of range: at once where the ids are at hand, else when a result is
 *   computed.
 */
export function embedding(
  ids: Tensor,
  weight: Tensor,
  { paddingIdx }: EmbeddingOptions = {},
): Tensor {
  const op = "embedding";
  if (weight.ndim !== 2) throw shapeError`${op}: the weight must be a matrix, got ${weight.shape}.`;
  const [rows, columns] = weight.shape;
  if (paddingIdx != null && !(paddingIdx >= -rows && paddingIdx < rows)) {
    throw argumentError`${op}: paddingIdx must be in [${-rows}, ${rows - 1}], got ${paddingIdx}.`;
  }
  const flat = checkIndices(op, ids, rows).reshape([-1, 1]);
  const index = flat.expand([-1, columns]);
  const isPadding = paddingIdx == null ? undefined : flat.eq((paddingIdx + rows) % rows);
  const found = record(
    op,
    formula(() => takeAlong(weight, index, 0)),
    [weight],
    [
      (grad) => {
        const counted = isPadding ? isPadding.where(literal(0, grad), grad) : grad;
        return addAlong(counted, index, 0, rows);
      },
    ],
  );
  return found.reshape([...ids.shape, columns]);
}
