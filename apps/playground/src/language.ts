// Training and testing of a network that predicts the next character, over a text longer than its gradients reach.
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam, clipGradNorm, OneCycleLR } from "@gradloom/optim";
import type { RecurrentLM } from "@gradloom/rnn-lstm";
import { noGrad, realize, type Tensor } from "@gradloom/tensor";
import { checkLoss, InterruptedError } from "./errors.ts";
import { type Corpus, piecesOf } from "./text.ts";

/** How to train. */
export interface LanguageOptions {
  readonly steps: number;
  /** Strips of the text that are read side by side. */
  readonly batchSize: number;
  /** Characters that gradients reach back. */
  readonly length: number;
  /** The largest learning rate; it rises, then falls to almost 0. */
  readonly lr: number;
  readonly signal: AbortSignal;
  /** Called after each step, with its loss. */
  readonly onStep: (step: number, loss: number) => void;
}

/** How well the text behind the training text was predicted. */
export interface LanguagePoint {
  readonly step: number;
  /** For each character. */
  readonly bits: number;
  /** Of training, without tests. */
  readonly seconds: number;
}

/** Tests in a run, evenly spread. */
const tests = 16;

/**
 * Trains with Adam and truncated back-propagation through time: the state at the end of a piece is the one that the next starts with, but
 * detached, so that gradients end there. Gradients are clipped.
 *
 * @throws PlaygroundError if a loss is not a finite number, InterruptedError if `signal` is aborted.
 */
export async function fitLanguage(
  model: RecurrentLM,
  corpus: Corpus,
  options: LanguageOptions,
): Promise<readonly LanguagePoint[]> {
  const { steps, batchSize, length, lr, signal, onStep } = options;
  const criterion = new CrossEntropyLoss();
  const optimizer = new Adam(model.parameters(), { lr });
  const schedule = new OneCycleLR(optimizer, lr, { totalSteps: steps });
  const points: LanguagePoint[] = [];
  let seconds = 0;
  for (let step = 1; step <= steps; ) {
    let state: readonly Tensor[] | undefined; // none at the beginning of the text
    for (const { x, y } of piecesOf(corpus.training, batchSize, length)) {
      const start = performance.now();
      model.train();
      const [logits, next] = model.forward(x, state);
      const loss = criterion.forward(logits.flatten(0, 1), y);
      optimizer.zeroGrad();
      loss.backward();
      clipGradNorm(model.parameters(), 1);
      optimizer.step();
      schedule.step();
      state = next.map((part) => part.detach());
      const value = await loss.item();
      seconds += (performance.now() - start) / 1000;
      checkLoss(value, step, lr);
      onStep(step, value);
      if (signal.aborted) throw new InterruptedError(`Stopped after step ${step}.`);
      if (
        step === 1 ||
        Math.floor((step * tests) / steps) > Math.floor(((step - 1) * tests) / steps)
      ) {
        points.push({ step, seconds, bits: await bitsPerCharacter(model, corpus.heldOut, length) });
      }
      step += 1;
      if (step > steps) break;
    }
  }
  return points;
}

/** The mean of `−log2 p` of each next character; the state goes on through the whole of `ids`. */
async function bitsPerCharacter(
  model: RecurrentLM,
  ids: Int32Array,
  length: number,
): Promise<number> {
  model.eval();
  const criterion = new CrossEntropyLoss();
  const losses: number[] = [];
  let state: readonly Tensor[] | undefined;
  for (const { x, y } of piecesOf(ids, 16, length)) {
    const [loss, next] = noGrad(() => {
      const [logits, after] = model.forward(x, state);
      return [criterion.forward(logits.flatten(0, 1), y), after] as const;
    });
    // The state as well: if it were only recorded, each piece would compute all those before it again.
    realize(loss, ...next);
    losses.push(await loss.item());
    state = next;
  }
  return losses.reduce((a, b) => a + b, 0) / losses.length / Math.LN2;
}
