import { sort as sortNode } from "@gradloom/engine";
import { argumentError } from "../errors.ts";
import { record } from "../record.ts";
import { isCount, toAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type Extremes, numeric } from "./extreme.ts";
import { takeAlong, vectorAtLeast } from "./indexing.ts";

/** What `sort` and `argsort` take. */
export interface SortOptions {
  /** Largest first. Default: false. */
  readonly descending?: boolean;
}

/** What `topk` takes. */
export interface TopkOptions {
  /** Whether the largest are wanted, not the smallest. Default: true. */
  readonly largest?: boolean;
  /** Whether they come in order. They do in any case. Default: true. */
  readonly sorted?: boolean;
}

/**
 * The elements in order along an axis (default: the last), and where they were, int32. Equal elements keep their
 * order; NaN is greater than all others. The gradient goes back to where each element was.
 */
export function sort(x: Tensor, dim: number = -1, options: SortOptions = {}): Extremes {
  return first("sort", x, undefined, dim, options.descending === true);
}

/** The positions in which the elements along an axis are in order: int32. See {@link sort}. */
export function argsort(x: Tensor, dim: number = -1, options: SortOptions = {}): Tensor {
  return first("argsort", x, undefined, dim, options.descending === true).indices;
}

/**
 * The `k` largest (or smallest) elements along an axis (default: the last), in order, and where they are, int32. Of
 * equal ones the first are taken; NaN is greater than all others. The gradient goes to those elements.
 *
 * @throws ArgumentError if `k` is not a whole number up to the size of the axis.
 */
export function topk(x: Tensor, k: number, dim: number = -1, options: TopkOptions = {}): Extremes {
  return first("topk", x, k, dim, options.largest !== false);
}

/** The first elements in order along an axis; without `count` all. */
function first(
  op: string,
  tensor: Tensor,
  count: number | undefined,
  dim: number,
  descending: boolean,
): Extremes {
  const axis = toAxis(op, dim, tensor.ndim);
  const x = vectorAtLeast(tensor);
  const size = x.shape[axis];
  const k = count ?? size;
  if (!isCount(k) || k > size) {
    throw argumentError`${op}: k must be an integer in [0, ${size}], got ${k}.`;
  }
  const indices = record(op, sortNode(numeric(x).node, axis, k, descending));
  const values = takeAlong(x, indices, axis);
  if (tensor.ndim > 0) return { values, indices };
  return { values: values.reshape([]), indices: indices.reshape([]) };
}
