import { byteSize } from "@gradloom/engine";
import { type Draw, defaultGenerator } from "../generator.ts";
import { withGradMode } from "../grad-mode.ts";
import { once } from "../once.ts";
import { dropoutMask } from "../random.ts";
import { literal, record, unseen } from "../record.ts";
import { sizeAt } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type Attention, largestOf, scoresOf } from "./attention-scores.ts";
import { cat } from "./joining.ts";
import { kept } from "./reduction.ts";

/** How large blocks are. */
interface Limits {
  /** Scores of about this many bytes are computed at a time: they stay in the cache. */
  readonly bytes: number;
  /** Blocks have at least so many queries, unless there are fewer: else products would be thin. */
  readonly rows: number;
}

const usual: Limits = { bytes: 2 * 2 ** 20, rows: 64 };

/**
 * Attention in blocks of queries. Of the scores only `log Σ e^score` of each query is kept, from which the gradient computes
 * the weights again.
 *
 * That logarithm has gradients as well, so these rules can be differentiated like all others.
 */
export function attendInBlocks(op: string, whole: Attention, limits: Limits = usual): Tensor {
  const task: Task = { ...whole, limits };
  const { q, k, v } = whole;
  const masks = task.dropout > 0 ? masksOf(task) : undefined;
  const [y, sums] = unseen(() => withGradMode(false, () => forward(task, masks)));
  const logSum: Tensor = record(
    op,
    sums.node,
    [q, k],
    rules((grad) => gradients(task, masks, logSum, undefined, grad.neg()), 2),
  );
  return record(
    op,
    y.node,
    [q, k, v],
    rules((grad, y) => {
      const inner = grad.mul(y).sum(-1, kept);
      return gradients(task, masks, logSum, grad, inner);
    }, 3),
  );
}

interface Task extends Attention {
  readonly limits: Limits;
}

/** A rule for each input of what computes all gradients together, once. */
function rules(
  compute: (grad: Tensor, y: Tensor) => readonly Tensor[],
  count: number,
): readonly ((grad: Tensor, y: Tensor) => Tensor)[] {
  const all = once((grad: Tensor, y: Tensor) => unseen(() => compute(grad, y)));
  return Array.from({ length: count }, (_, i) => (grad: Tensor, y: Tensor) => all(grad, y)[i]);
}

/** `softmax(scores) v` and `log Σ e^scores`, which is Infinity for a query that sees no key. */
function forward(task: Task, masks: Masks | undefined): readonly Tensor[] {
  return inParts(task, [], (part, number) => {
    const blocks = rowBlocks(part).map((block, i) => {
      const scores = scoresOf(block);
      const largest = largestOf(scores);
      const e = scores.sub(largest).exp();
      const sum = e.sum(-1, kept);
      const none = literal(Infinity, sum);
      const logSum = sum.eq(literal(0, sum)).where(none, sum.log().add(largest));
      const weights = e.mul(sum.maximum(literal(1, sum)).reciprocal());
      const used = masks?.(scores, `${number} ${i}`).mul(weights) ?? weights;
      return [used.matmul(block.v), logSum];
    });
    return joined(blocks, -2);
  });
}

/**
 * The gradients of `q`, `k` and `v`, given that of the result and what is subtracted from that of each query's weights before
 * they go through the softmax. Without a gradient of the result it is 0.
 *
 * Scores are turned here: so they are not the ones of the forward pass, which would have to be kept until now.
 */
function gradients(
  task: Task,
  masks: Masks | undefined,
  logSums: Tensor,
  grads: Tensor | undefined,
  subtracted: Tensor,
): readonly Tensor[] {
  const rows = [logSums, subtracted, grads];
  return inParts(task, rows, (part, number, [logSum, minus, grad]) => {
    const blocks = rowBlocks(part);
    const ofQ: Tensor[] = [];
    let ofK: Tensor | undefined;
    let ofV: Tensor | undefined;
    for (const [i, block] of blocks.entries()) {
      const { q, k, v, first, scale } = block;
      const ofBlock = (x: Tensor) => x.narrow(-2, first, sizeAt(q, -2));
      const turned = (x: Tensor) => ofBlock(x).transpose(-2, -1);
      const weights = scoresOf(block, true).sub(turned(logSum!)).exp(); // [..., keys, queries]
      const mask = masks?.(weights.transpose(-2, -1), `${number} ${i}`, true).transpose(-2, -1);
      let ofWeights: Tensor | undefined;
      if (grad) {
        const used = mask?.mul(weights) ?? weights;
        ofV = addLonger(ofV, used.matmul(ofBlock(grad)));
        const product = v.matmul(turned(grad));
        ofWeights = mask?.mul(product) ?? product;
      }
      const centred = ofWeights?.sub(turned(minus!)) ?? turned(minus!).neg();
      const ofScores = weights.mul(centred).mul(scale);
      ofQ.push(ofScores.transpose(-2, -1).matmul(k));
      ofK = addLonger(ofK, ofScores.matmul(q));
    }
    const keys = sizeAt(part.k, -2);
    const sums = grad ? [ofK!, ofV!] : [ofK!];
    return [cat(ofQ, -2), ...sums.map((sum) => padded(sum, keys))];
  });
}

/** Adds what may be longer along the last axis but one, where a sum so far is 0. */
function addLonger(sum: Tensor | undefined, x: Tensor): Tensor {
  return sum ? x.add(padded(sum, sizeAt(x, -2))) : x;
}

/** With zeros up to a length of the last axis but one. */
function padded(x: Tensor, length: number): Tensor {
  const missing = length - sizeAt(x, -2);
  return missing === 0 ? x : x.pad([0, 0, 0, missing]);
}

/** The parts of an attention task for some queries each, and the keys that those see. */
function rowBlocks(task: Task): readonly Attention[] {
  const { q, k, v, mask, isCausal } = task;
  const [queries, keys] = [sizeAt(q, -2), sizeAt(k, -2)];
  const count = rowsOf(task);
  const blocks: Attention[] = [];
  for (let first = 0; first < queries; first += count) {
    const rows = Math.min(count, queries - first);
    const seen = isCausal ? Math.min(keys, first + rows) : keys;
    blocks.push({
      ...task,
      q: q.narrow(-2, first, rows),
      k: k.narrow(-2, 0, seen),
      v: v.narrow(-2, 0, seen),
      mask: mask && cut(cut(mask, mask.ndim - 2, first, rows), mask.ndim - 1, 0, seen),
      first,
    });
  }
  return blocks;
}

/** How many queries a block has. */
function rowsOf({ q, k, limits }: Task): number {
  const row = Math.max(1, sizeAt(k, -2)) * byteSize[q.dtype];
  const rows = Math.floor(limits.bytes / row / 16) * 16;
  return Math.min(sizeAt(q, -2), Math.max(limits.rows, rows));
}

/**
 * Runs `compute` for as much of the batch at a time as makes a block, and joins the results. It gets the parts and their number.
 *
 * @param rows - Further tensors with the batch's axes.
 */
function inParts(
  task: Task,
  rows: readonly (Tensor | undefined)[],
  compute: (part: Task, number: number, rows: readonly (Tensor | undefined)[]) => readonly Tensor[],
): readonly Tensor[] {
  const { q, k } = task;
  const block = rowsOf(task) * sizeAt(k, -2) * byteSize[q.dtype];
  let room = Math.max(1, Math.floor(task.limits.bytes / block));
  const lengths = q.shape.slice(0, -2);
  for (let axis = lengths.length - 1; axis >= 0; axis--) {
    const length = Math.min(lengths[axis], room);
    room = length === lengths[axis] ? Math.floor(room / length) : 1;
    lengths[axis] = Math.max(1, length);
  }
  let number = 0;
  const along = (
    axis: number,
    part: Task,
    others: readonly (Tensor | undefined)[],
  ): readonly Tensor[] => {
    if (axis === lengths.length) return compute(part, number++, others);
    const results: (readonly Tensor[])[] = [];
    const size = q.shape[axis];
    for (let start = 0; start < size; start += lengths[axis]) {
      const cutOut = (x: Tensor) => cut(x, axis, start, Math.min(lengths[axis], size - start));
      const { mask } = part;
      const smaller = {
        ...part,
        q: cutOut(part.q),
        k: cutOut(part.k),
        v: cutOut(part.v),
        mask: mask && cutOut(mask),
      };
      results.push(
        along(
          axis + 1,
          smaller,
          others.map((x) => x && cutOut(x)),
        ),
      );
    }
    return joined(results, axis);
  };
  return along(0, task, rows);
}

/** Each of the results of all parts, put together. */
function joined(parts: readonly (readonly Tensor[])[], axis: number): Tensor[] {
  return parts[0].map((_, i) => {
    const all = parts.map((results) => results[i]);
    return cat(all, axis);
  });
}

/** A part of an axis, unless it stands for any length. */
function cut(x: Tensor, axis: number, start: number, length: number): Tensor {
  return x.shape[axis] === 1 ? x : x.narrow(axis, start, length);
}

/** The dropout mask for the scores of a block, `[..., queries, keys]`: a new one, or the one drawn there before. */
type Masks = (scores: Tensor, block: string, isAgain?: boolean) => Tensor;

/** Masks are drawn in the forward pass, and once more for the gradient, so that none has to be kept. */
function masksOf({ dropout, generator = defaultGenerator }: Attention): Masks {
  const draws = new Map<string, Draw>();
  return ({ shape, dtype }, block, isAgain) => {
    const draw = () => {
      if (!isAgain) draws.set(block, generator.draw());
      return draws.get(block)!;
    };
    return dropoutMask(shape, dropout, { dtype, generator: { draw } });
  };
}
