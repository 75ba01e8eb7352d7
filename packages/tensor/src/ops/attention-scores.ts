import type { Generator } from "../generator.ts";
import { formula, literal, record } from "../record.ts";
import { sizeAt } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { indices } from "./masking.ts";
import { kept } from "./reduction.ts";
import { softmaxGradient } from "./softmax.ts";

/** What attends to what: some queries, from number `first` on, and the keys that they may see, from 0 on. */
export interface Attention {
  readonly q: Tensor; // [..., queries, features]
  readonly k: Tensor; // [..., keys, features]
  readonly v: Tensor; // [..., keys, valueFeatures]
  /** As many axes as `q`; of size 1 where it is the same for all. */
  readonly mask: Tensor | undefined;
  readonly first: number;
  readonly isCausal: boolean;
  readonly scale: Tensor;
  readonly dropout: number;
  readonly generator: Generator | undefined;
}

/** `scale · q kᵀ + mask`, -Infinity where a key is not seen: `[..., queries, keys]`, or turned `[..., keys, queries]`. */
export function scoresOf(task: Attention, turned: boolean = false): Tensor {
  const { q, k, mask, first, isCausal, scale } = task;
  const product = turned ? k.matmul(q.transpose(-2, -1)) : q.matmul(k.transpose(-2, -1));
  const scores = product.mul(scale);
  const [queries, keys] = [sizeAt(q, -2), sizeAt(k, -2)];
  const placed = turned ? mask?.transpose(-2, -1) : mask;
  const isBoolean = placed?.dtype === "bool";
  let seen = isBoolean ? placed : undefined;
  if (isCausal && keys > first + 1) {
    const key = indices(keys).unsqueeze(turned ? 1 : 0);
    const query = indices(queries).unsqueeze(turned ? 0 : 1);
    const isPast = key.le(query.add(literal(first, query)));
    seen = seen?.logicalAnd(isPast) ?? isPast;
  }
  const sum = !placed || isBoolean ? scores : scores.add(placed);
  return seen?.where(sum, literal(-Infinity, sum)) ?? sum;
}

/** The largest score of each query, or the lowest finite number. */
export function largestOf(scores: Tensor): Tensor {
  const lowest = scores.dtype === "float64" ? -Number.MAX_VALUE : -(2 - 2 ** -23) * 2 ** 127;
  return scores.amax(-1, kept).maximum(literal(lowest, scores));
}

/** The softmax of each query's scores; 0 where it sees no key. */
export function weightsOf(scores: Tensor): Tensor {
  const node = formula(() => {
    const e = scores.sub(largestOf(scores)).exp();
    // Whoever sees a key has a sum of at least 1, to which the largest score contributes 1.
    return e.mul(e.sum(-1, kept).maximum(literal(1, e)).reciprocal());
  });
  return record("softmax", node, [scores], [softmaxGradient(-1)]);
}
