// Training and testing of a transformer that writes one sequence for another, in the loop that everybody writes.
import { crossEntropyLoss } from "@gradloom/loss";
import { Adam, clipGradNorm, NoamLR } from "@gradloom/optim";
import { fromTypedArray, Generator, randperm, type Tensor } from "@gradloom/tensor";
import { padSequences, type Transformer } from "@gradloom/transformer";
import { checkLoss, InterruptedError } from "./errors.ts";

/** What is read, and what is to be written: ids, the targets with `<bos>` in front and `<eos>` behind. */
export interface SequencePair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** The ids that both vocabularies have, as `WordTokenizer` numbers them. */
export const special = { padId: 0, bosId: 1, eosId: 2 } as const;

/** How to train. */
export interface SequenceTrainingOptions {
  readonly steps: number;
  readonly batchSize: number;
  /** The largest learning rate. */
  readonly lr: number;
  readonly warmupSteps: number;
  readonly labelSmoothing: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: number, loss: number) => void;
}

/**
 * Trains with the target as its own input, one position behind (teacher forcing), with Adam and the paper's schedule.
 *
 * @throws InterruptedError if `signal` is aborted.
 */
export async function fitSequences(
  model: Transformer,
  pairs: readonly SequencePair[],
  options: SequenceTrainingOptions,
): Promise<void> {
  const { steps, batchSize, lr, warmupSteps, labelSmoothing, seed, signal, onStep } = options;
  const generator = new Generator(seed);
  // The schedule's largest rate is lr(0) / √(dModel · warmupSteps).
  const optimizer = new Adam(model.parameters(), {
    lr: lr * Math.sqrt(model.dModel * warmupSteps),
    betas: [0.9, 0.98],
    eps: 1e-9,
  });
  const schedule = new NoamLR(optimizer, model.dModel, warmupSteps);
  const lengths = {
    source: Math.max(...pairs.map(({ source }) => source.length)),
    target: Math.max(...pairs.map(({ target }) => target.length)),
  };
  const perEpoch = Math.floor(pairs.length / batchSize);
  let order: ArrayLike<number | bigint> = [];
  model.train();
  for (let step = 0; step < steps; step++) {
    const at = (step % perEpoch) * batchSize;
    if (at === 0) order = await randperm(pairs.length, { generator }).data();
    const batch = Array.from({ length: batchSize }, (_, i) => pairs[Number(order[at + i])]);
    optimizer.zeroGrad();
    const loss = lossOf(model, batch, lengths, labelSmoothing);
    loss.backward();
    clipGradNorm(model.parameters(), 1);
    optimizer.step();
    schedule.step();
    const value = await loss.item();
    checkLoss(value, step + 1, lr);
    onStep?.(step + 1, value);
    if (signal?.aborted) throw new InterruptedError("Interrupted.");
  }
}

/** Cross-entropy of every token of the targets but the first. All batches have one size, so there is one plan. */
function lossOf(
  model: Transformer,
  batch: readonly SequencePair[],
  lengths: { source: number; target: number },
  labelSmoothing: number,
): Tensor {
  const { padId } = special;
  const source = padSequences(
    batch.map((pair) => pair.source),
    { padId, length: lengths.source },
  );
  const target = padSequences(
    batch.map((pair) => pair.target),
    { padId, length: lengths.target },
  );
  const time = lengths.target - 1;
  const logits = model.forward(source.ids, target.ids.narrow(1, 0, time), {
    srcPaddingMask: source.paddingMask,
  });
  return crossEntropyLoss(logits.flatten(0, 1), target.ids.narrow(1, 1, time).flatten(), {
    ignoreIndex: padId,
    labelSmoothing,
  });
}

/** What the model writes for each source, with greedy decoding. */
export async function writeSequences(
  model: Transformer,
  pairs: readonly SequencePair[],
  maxLength: number,
): Promise<number[][]> {
  const written: number[][] = [];
  const longest = Math.max(...pairs.map(({ source }) => source.length));
  for (let start = 0; start < pairs.length; start += 100) {
    const part = pairs.slice(start, start + 100);
    const { ids, paddingMask } = padSequences(
      part.map(({ source }) => source),
      { padId: special.padId, length: longest },
    );
    const { bosId, eosId } = special;
    const options = { bosId, eosId, maxLength, srcPaddingMask: paddingMask };
    written.push(...(await model.greedyDecode(ids, options)));
  }
  return written;
}

/** Which sequences are exactly as they should be. */
export function exactly(
  written: readonly (readonly number[])[],
  pairs: readonly SequencePair[],
): boolean[] {
  return written.map((ids, i) => String(ids) === String(pairs[i].target.slice(1, -1)));
}

/** The numbers of a list, in a tensor. */
export function idsOf(ids: readonly number[]): Tensor {
  return fromTypedArray(Int32Array.from(ids), [1, ids.length]);
}
