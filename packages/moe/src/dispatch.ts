import { arange, type Tensor } from "@gradloom/tensor";
import type { SortedRows } from "./experts.ts";

/** Where rows go so that those of an expert lie one behind the other, and where their results are found. */
export interface Dispatch extends SortedRows {
  /** Which row each sorted row is a copy of, int32 `[sorted rows]`. */
  readonly source: Tensor;
  /** Where the choices of each row are among the sorted rows, int32 `[topK · rows]`: all first choices, then all second ones. */
  readonly place: Tensor;
  /** Which of them were taken, bool `[topK · rows]`; `undefined`: all. */
  readonly isTaken: Tensor | undefined;
  /** How often each expert was chosen, int32 `[numExperts]`. */
  readonly load: Tensor;
}

/**
 * Sorts the choices of all rows by expert: the first choice of each row, then the second, and so on. Of an expert that was chosen more often than
 * `capacity` those that come first in this order are taken.
 *
 * @param indices - int32 `[rows, topK]`.
 */
export function dispatch(indices: Tensor, numExperts: number, capacity: number): Dispatch {
  const [rows, topK] = indices.shape;
  const count = topK * rows;
  const choices = indices.t().reshape([count]);
  const load = choices.unsqueeze(1).eq(arange(numExperts)).sum(0);
  const order = choices.argsort();
  // The inverse of a permutation is the order of its elements.
  const sorted = order.argsort();
  if (capacity >= count) {
    const expert = choices.indexSelect(0, order);
    const source = order.remainder(rows);
    return { sizes: load, expert, source, place: sorted, isTaken: undefined, load };
  }
  const sizes = load.minimum(capacity);
  const end = sizes.cumsum(0);
  // By how much rows of an expert move up, because of those before that are left out.
  const shift = load.sub(sizes).cumsum(0).sub(load.sub(sizes));
  const positions = arange(Math.min(count, numExperts * capacity));
  const expert = positions
    .unsqueeze(1)
    .ge(end)
    .sum(1)
    .minimum(numExperts - 1);
  const from = positions.add(shift.indexSelect(0, expert)).minimum(count - 1);
  const place = sorted.sub(shift.indexSelect(0, choices));
  const isTaken = place.lt(end.indexSelect(0, choices));
  return {
    sizes,
    expert,
    source: order.indexSelect(0, from).remainder(rows),
    place: isTaken.where(place, 0),
    isTaken,
    load,
  };
}
