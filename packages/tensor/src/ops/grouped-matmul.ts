import { groupedMatmul as groupedNode, iota } from "@gradloom/engine";
import { shapeError } from "../errors.ts";
import type { Gradients } from "../history.ts";
import { promote, requireNumeric } from "../promote.ts";
import { formula, record } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { addAlong, checkIndices, takeAlong } from "./indexing.ts";

/**
 * Multiplies groups of rows, each by a matrix of its own: the first `sizes[0]` rows of `x` by `w[0]`, the next
 * `sizes[1]` by `w[1]`, and so on; rows behind the last group give 0. It costs as much as the rows that there are, however many
 * matrices there are, and so do its gradients: a matrix without rows costs nothing, and its gradient is 0. What
 * `jax.lax.ragged_dot` and `torch._grouped_mm` compute.
 *
 * - Shape: `x [rows, k]`, `w [groups, k, n]`, `sizes [groups]` (int32) → `[rows, n]`
 * @throws ShapeError if the shapes are others. DTypeError if `sizes` are no integers, or for bool. IndexError if a size is negative, or if
 * all are more than `rows` together.
 *
 * @example
 * ```ts
 * groupedMatmul(x, w, tensor([2, 0, 1])); // [x[0] w[0], x[1] w[0], x[2] w[2]]
 * ```
 */
export function groupedMatmul(x: Tensor, w: Tensor, sizes: Tensor): Tensor {
  const op = "groupedMatmul";
  const [groups, k] = w.shape;
  const fits =
    x.ndim === 2 &&
    w.ndim === 3 &&
    x.shape[1] === k &&
    groups > 0 &&
    `${sizes.shape}` === `${groups}`;
  if (!fits) {
    throw shapeError`${op}: x, w and sizes must be [rows, k], [groups, k, n] and [groups], got ${x.shape}, ${w.shape} and ${sizes.shape}.`;
  }
  const dtype = promote(x.dtype, w.dtype);
  requireNumeric(op, dtype);
  const most = x.shape[0] + 1;
  // Where each group starts, and behind the last one where that ends.
  const isBefore = numbers(op, groups).lt(numbers(op, groups + 1).unsqueeze(1));
  const bounds = isBefore.where(checkIndices(op, sizes, most), 0).sum(1);
  return ofRows(x.to(dtype), w.to(dtype), checkIndices(op, bounds, most));
}

/** `y[i] = x[i] w[g]` with the group `g` of row `i`, which goes from `bounds[g]` to `bounds[g + 1]`. */
function ofRows(x: Tensor, w: Tensor, bounds: Tensor): Tensor {
  return product("rows", x, w, bounds, [
    (grad, _, _x, y) => ofRows(grad, y.transpose(1, 2), bounds),
    (grad, _, y) => ofTerms(y.t(), grad, bounds),
  ]);
}

/** `y[g] = Σᵢ a[:, i] b[i, :]` over the rows of group `g`: `[m, rows] × [rows, n] -> [groups, m, n]`. */
function ofTerms(a: Tensor, b: Tensor, bounds: Tensor): Tensor {
  return product("terms", a, b, bounds, [
    (grad, _, _a, y) => ofRows(y, grad.transpose(1, 2), bounds).t(),
    (grad, _, y) => ofRows(y.t(), grad, bounds),
  ]);
}

function product(
  along: "rows" | "terms",
  a: Tensor,
  b: Tensor,
  bounds: Tensor,
  rules: Gradients,
): Tensor {
  const other = along === "rows" ? rowByRow : termByTerm;
  const node =
    a.dtype === "float32"
      ? groupedNode(along, a.node, b.node, bounds.node)
      : formula(() => other(a, b, bounds));
  return record("groupedMatmul", node, [a, b], rules);
}

/** The same where there is no kernel for groups: a gather, or a scatter, and sums. */
function rowByRow(x: Tensor, w: Tensor, bounds: Tensor): Tensor {
  const [groups, , n] = w.shape;
  const group = groupsOf(bounds, x.shape[0]);
  const found = takeAlong(w, group.minimum(groups - 1).expand([...x.shape, n]), 0);
  const y = x.unsqueeze(2).mul(found).sum(1);
  return group.lt(groups).squeeze(2).where(y, 0);
}

function termByTerm(a: Tensor, b: Tensor, bounds: Tensor): Tensor {
  const products = a.t().unsqueeze(2).mul(b.unsqueeze(1));
  const groups = bounds.shape[0];
  const group = groupsOf(bounds, b.shape[0]).expand(products.shape);
  return addAlong(products, group, 0, groups).narrow(0, 0, groups - 1);
}

/** The number of each row's group, `[rows, 1, 1]`; behind the last one, how many there are. */
function groupsOf(bounds: Tensor, rows: number): Tensor {
  const ends = bounds.narrow(0, 1, bounds.shape[0] - 1);
  return numbers("groupedMatmul", rows).unsqueeze(1).ge(ends).sum(1).reshape([rows, 1, 1]);
}

function numbers(op: string, count: number): Tensor {
  return record(op, iota(count));
}
