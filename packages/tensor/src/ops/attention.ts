import { broadcastShapes, byteSize } from "@gradloom/engine";
import { shapeError } from "../errors.ts";
import type { Generator } from "../generator.ts";
import { requireProbability } from "../options.ts";
import { promote, requireFloat, requireMask } from "../promote.ts";
import { given, literal } from "../record.ts";
import { sameShape, sizeAt, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { attendInBlocks } from "./attention-blocks.ts";
import { type Attention, scoresOf, weightsOf } from "./attention-scores.ts";
import { dropout } from "./dropout.ts";

/** What `scaledDotProductAttention` takes. */
export interface AttentionOptions {
  /**
   * Who attends to whom, `[..., queries, keys]`, which broadcasts: a boolean, where true takes part; or a number that is
   * added to the score. Default: all.
   */
  readonly mask?: Tensor | undefined;
  /** Whether query `i` sees only keys `0 … i`. Default: false. */
  readonly isCausal?: boolean;
  /** With which probability a weight is dropped. Default: 0. */
  readonly dropout?: number;
  /** What scores are multiplied with. Default: `1 / √features`. */
  readonly scale?: number;
  /** For the dropout. Default: the one that `manualSeed` sets. */
  readonly generator?: Generator;
}

/** Scores of at most this many bytes are kept for the gradient. */
const keptBytes = 8 * 2 ** 20;

/**
 * `softmax(scale · q kᵀ + mask) v`: for each query a mean of the values, weighted by how well their keys go with it.
 *
 * Long sequences are worked through in blocks of queries, and the gradient computes the scores again: memory grows with
 * the length, not with its square. (A mask that has a gradient of its own is as large as the scores; then they are kept.)
 *
 * - Shape: `query [..., queries, features]`, `key [..., keys, features]`, `value [..., keys, valueFeatures]` →
 *   `[..., queries, valueFeatures]`; what is in front broadcasts
 * - A query that sees no key gives 0. Differs from PyTorch, which gives NaN; and `mask` and `isCausal` may be combined
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; in blocks: Dao et al. 2022, https://arxiv.org/abs/2205.14135
 * @example `scaledDotProductAttention(q, k, v, { isCausal: true, dropout: 0.1 })`
 * @throws ShapeError if shapes do not fit. DTypeError if a tensor is not floating. ArgumentError if `dropout` is not in [0, 1].
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const op = "scaledDotProductAttention";
  const { mask, isCausal = false, dropout: p = 0, scale, generator } = options;
  const lead = checkShapes(op, query, key, value, mask);
  requireProbability(op, "dropout", p);
  const dtype = [query, key, value].map((x) => x.dtype).reduce(promote);
  const aligned = (x: Tensor) => x.to(dtype).expand([...lead, ...x.shape.slice(-2)]);
  const q = aligned(query);
  const [queries, features] = q.shape.slice(-2);
  const front = mask && new Array<number>(q.ndim - mask.ndim).fill(1);
  const task: Attention = {
    q,
    k: aligned(key),
    v: aligned(value),
    mask: mask?.to(mask.dtype === "bool" ? "bool" : dtype).reshape([...front!, ...mask.shape]),
    first: 0,
    isCausal,
    scale: scale === undefined ? literal(1 / Math.sqrt(features), q) : given(scale, dtype),
    dropout: p,
    generator,
  };
  const bytes = sizeOf(lead) * queries * sizeAt(key, -2) * byteSize[dtype];
  if (bytes > keptBytes && mask?.requiresGrad !== true) return attendInBlocks(op, task);
  const scores = scoresOf(task);
  const weights = scores.numel === 0 ? scores : weightsOf(scores);
  return dropout(weights, p, generator && { generator }).matmul(task.v);
}

/** @throws ShapeError or DTypeError unless all go together. @returns The axes in front of the last two. */
function checkShapes(
  op: string,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  mask: Tensor | undefined,
): readonly number[] {
  const inputs = [query, key, value];
  for (const x of inputs) requireFloat(op, x);
  const shapes = inputs.map((x) => x.shape);
  const lead = broadcastShapes(shapes.map((shape) => shape.slice(0, -2)));
  const features = sizeAt(query, -1);
  const keys = sizeAt(key, -2);
  const fits = sizeAt(key, -1) === features && sizeAt(value, -2) === keys;
  if (shapes.some((shape) => shape.length < 2) || !fits || !lead) {
    throw shapeError`${op}: the tensors must be [..., queries, features], [..., keys, features] and [..., keys, valueFeatures], got ${shapes}.`;
  }
  if (!mask) return lead;
  requireMask(`${op}: the mask`, mask, true);
  const scores = [...lead, sizeAt(query, -2), keys];
  const joined = broadcastShapes([scores, mask.shape]);
  if (!joined || !sameShape(joined, scores)) {
    throw shapeError`${op}: the mask must broadcast to the scores ${scores}, got ${mask.shape}.`;
  }
  return lead;
}
