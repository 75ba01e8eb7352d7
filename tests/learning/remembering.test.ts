// What recurrent networks learn: to remember over a long time, and how a text goes on.
import { Linear, Module } from "@gradloom/layers";
import { crossEntropyLoss, mseLoss } from "@gradloom/loss";
import { Adam, clipGradNorm } from "@gradloom/optim";
import { LSTM, RecurrentLM, RNN } from "@gradloom/rnn-lstm";
import {
  arange,
  manualSeed,
  noGrad,
  rand,
  randint,
  stack,
  type Tensor,
  tensor,
} from "@gradloom/tensor";
import { beforeEach, describe, expect, test } from "vitest";

beforeEach(() => {
  manualSeed(1);
});

/** The adding problem: two numbers of each sequence are marked, one in each half; their sum is the target. */
function drawSums(count: number, length: number): { x: Tensor; y: Tensor } {
  const numbers = rand([count, length]);
  const first = randint(0, length / 2, [count, 1]);
  const second = randint(length / 2, length, [count, 1]);
  const marks = arange(length).eq(first).logicalOr(arange(length).eq(second)).to("float32");
  return { x: stack([numbers, marks], 2), y: numbers.mul(marks).sum(1, { keepdim: true }) };
}

class SequenceReader extends Module {
  readonly rnn: RNN | LSTM;
  readonly head: Linear;

  constructor(rnn: RNN | LSTM) {
    super();
    this.rnn = rnn;
    this.head = new Linear(rnn.hiddenSize, 1);
  }

  forward(x: Tensor): Tensor {
    const [output] = this.rnn.forward(x);
    return this.head.forward(output.select(1, -1));
  }
}

function errorAfter(steps: number, reader: SequenceReader, length: number): number {
  const optimizer = new Adam(reader.parameters(), { lr: 0.01 });
  for (let step = 0; step < steps; step++) {
    const { x, y } = drawSums(32, length);
    optimizer.zeroGrad();
    mseLoss(reader.forward(x), y).backward();
    clipGradNorm(reader.parameters(), 1);
    optimizer.step();
  }
  const { x, y } = drawSums(500, length);
  return noGrad(() => mseLoss(reader.forward(x), y)).itemSync();
}

describe("learning to remember", () => {
  test("an LSTM adds two numbers that are up to 30 steps apart, which a plain network does not", () => {
    const sizes = { inputSize: 2, hiddenSize: 24 };
    // Without memory the error is 1 / 6, the variance of the sum.
    expect(errorAfter(600, new SequenceReader(new LSTM(sizes)), 30)).toBeLessThan(0.02);
    expect(errorAfter(600, new SequenceReader(new RNN(sizes)), 30)).toBeGreaterThan(0.05);
  }, 120_000);

  test.each(["rnn", "gru", "lstm"] as const)(
    "a character model (%s) with carried state learns a text that its last character does not tell",
    async (cell) => {
      // After "a" come "x", "y" and "z" in turn: who does not remember cannot do better than log 3 there.
      const ids = Array.from({ length: 1200 }, (_, i) =>
        i % 2 === 0 ? 0 : 1 + (((i - 1) / 2) % 3),
      );
      const model = new RecurrentLM({ vocabSize: 4, embeddingDim: 8, hiddenSize: 24, cell });
      const optimizer = new Adam(model.parameters(), { lr: 0.01 });
      let last = Number.POSITIVE_INFINITY;
      for (let epoch = 0; epoch < 4; epoch++) {
        let state: readonly Tensor[] | undefined;
        for (let start = 0; start + 24 < ids.length; start += 24) {
          const x = tensor([ids.slice(start, start + 24)], { dtype: "int32" });
          const y = tensor(ids.slice(start + 1, start + 25), { dtype: "int32" });
          const [logits, next] = model.forward(x, state);
          const loss = crossEntropyLoss(logits.flatten(0, 1), y);
          optimizer.zeroGrad();
          loss.backward();
          clipGradNorm(model.parameters(), 1);
          optimizer.step();
          state = next.map((part) => part.detach());
          last = loss.itemSync();
        }
      }
      expect(last).toBeLessThan(0.05); // 0.549 without memory
      const text = await model.generate([0, 1, 0, 2], { maxNewTokens: 8, temperature: 0 });
      expect(text.slice(4)).toEqual([0, 3, 0, 1, 0, 2, 0, 3]);
    },
    60_000,
  );
});
