import { type DType, DTypeError, ShapeError, type Tensor, where } from "@gradloom/tensor";

/** What a mask must go with: the scores `[batch, heads, queries, keys]`. */
interface Scores {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}

const dtypes: readonly DType[] = ["bool", "float32", "float64"];

/**
 * One mask for `scaledDotProductAttention`, where `true` takes part, of those that a layer takes, where `true` hides.
 * Floating masks are added to the scores. Without any it is undefined.
 *
 * @throws ShapeError if a mask does not fit the scores. DTypeError if it is of integers.
 */
export function scoreMask(
  op: string,
  scores: Scores,
  mask: Tensor | undefined,
  keyPaddingMask: Tensor | undefined,
): Tensor | undefined {
  for (const [name, given] of Object.entries({ mask, keyPaddingMask })) {
    // Next to a floating mask, integers would be added to the scores.
    if (given != null && !dtypes.includes(given.dtype)) {
      throw new DTypeError(
        `${op}: ${name} must be bool or floating, got ${given.dtype}. Compare first, for example with ne(0).`,
        { op },
      );
    }
  }
  const masks = [
    ...(mask == null ? [] : [placeMask(op, scores, mask)]),
    ...(keyPaddingMask == null ? [] : [placePadding(op, scores, keyPaddingMask)]),
  ];
  if (masks.length === 0) return undefined;
  if (masks.every(({ dtype }) => dtype === "bool")) {
    return masks.reduce((a, b) => a.logicalOr(b)).logicalNot();
  }
  return masks
    .map((each) => (each.dtype === "bool" ? where(each, Number.NEGATIVE_INFINITY, 0) : each))
    .reduce((a, b) => a.add(b));
}

/** `[queries, keys]`, `[batch, queries, keys]`, PyTorch's `[batch · heads, queries, keys]` or one with all four axes. */
function placeMask(op: string, { batch, heads, queries, keys }: Scores, mask: Tensor): Tensor {
  const { shape, ndim } = mask;
  const fits = (sizes: readonly number[], allowed: readonly number[]) =>
    sizes.length === allowed.length && sizes.every((n, i) => n === 1 || n === allowed[i]);
  if (ndim === 3 && shape[0] === batch * heads && fits(shape.slice(1), [queries, keys])) {
    return mask.unflatten(0, [batch, heads]);
  }
  if (ndim === 3 && fits(shape, [batch, queries, keys])) return mask.unsqueeze(1);
  if (ndim >= 2 && ndim !== 3 && fits(shape, [batch, heads, queries, keys].slice(-ndim))) {
    return mask;
  }
  throw new ShapeError(
    `${op}: mask must be [${queries}, ${keys}], [${batch}, ${queries}, ${keys}], [${batch * heads}, ${queries}, ${keys}] ` +
      `or [${batch}, ${heads}, ${queries}, ${keys}], got [${shape.join(", ")}].`,
    { op, shapes: [shape] },
  );
}

function placePadding(op: string, { batch, keys }: Scores, padding: Tensor): Tensor {
  const { shape, ndim } = padding;
  if (shape.at(-1) === keys && (ndim === 1 ? batch === 1 : ndim === 2 && shape[0] === batch)) {
    return padding.reshape([batch, 1, 1, keys]);
  }
  throw new ShapeError(
    `${op}: keyPaddingMask must be [${batch}, ${keys}], got [${shape.join(", ")}].`,
    {
      op,
      shapes: [shape],
    },
  );
}
