import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import {
  ArgumentError,
  IndexError,
  manualSeed,
  memoryStats,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { GRU, LSTM, LSTMCell, RecurrentLM, RNN } from "../src/index.ts";

describe("RecurrentLM", () => {
  test.each(["rnn", "lstm", "gru"] as const)("learns a rhyme by heart, %s", async (cell) => {
    manualSeed(1);
    const text = "abcabdabe";
    const ids = [...text.repeat(4)].map((c) => c.charCodeAt(0) - 97);
    const model = new RecurrentLM({ vocabSize: 5, embeddingDim: 8, hiddenSize: 32, cell });
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    const x = tensor(ids.slice(0, -1), { dtype: "int32" }).unsqueeze(0);
    const y = tensor(ids.slice(1), { dtype: "int32" });
    let loss = Infinity;
    let compiled = 0;
    for (let i = 0; i < 120; i++) {
      optimizer.zeroGrad();
      const [logits] = model.forward(x);
      const value = crossEntropyLoss(logits.reshape([-1, 5]), y);
      value.backward();
      optimizer.step();
      loss = value.itemSync();
      if (i === 2) compiled = memoryStats().compiledKernels;
    }
    expect(memoryStats().compiledKernels).toBe(compiled);
    expect(loss).toBeLessThan(0.1);
    const prompt = ids.slice(0, 9);
    const generated = await model.generate(prompt, { maxNewTokens: 12, temperature: 0 });
    expect(generated).toEqual(ids.slice(0, 21));
  });

  test("carries its state: a sequence in pieces gives what it gives as a whole", () => {
    manualSeed(2);
    const model = new RecurrentLM({
      vocabSize: 7,
      embeddingDim: 4,
      hiddenSize: 6,
      numLayers: 2,
    }).eval();
    const ids = tensor(
      [
        [1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1],
      ],
      { dtype: "int32" },
    );
    const [whole] = model.forward(ids);
    const [first, state] = model.forward(ids.slice(1, 0, 4));
    const [second] = model.forward(ids.slice(1, 4, 6), state);
    expect(whole.slice(1, 0, 4).allclose(first)).toBe(true);
    expect(whole.slice(1, 4, 6).allclose(second)).toBe(true);
  });

  test("samples are repeatable, of several prompts, and stop when told to", async () => {
    manualSeed(3);
    const model = new RecurrentLM({ vocabSize: 9, embeddingDim: 4, hiddenSize: 8, dropout: 0.5 });
    const options = { maxNewTokens: 20, seed: 5, topK: 4 };
    const one = await model.generate(
      [
        [1, 2],
        [3, 4],
      ],
      options,
    );
    expect(
      await model.generate(
        [
          [1, 2],
          [3, 4],
        ],
        options,
      ),
    ).toEqual(one);
    expect(one.map(({ length }) => length)).toEqual([22, 22]);
    const texts = [];
    for (const seed of [6, 6, 7]) {
      manualSeed(seed);
      texts.push(String(await model.generate([1], { maxNewTokens: 20 })));
    }
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
    const likeliest = await model.generate([1], { temperature: 0 });
    expect(await model.generate([1], { temperature: 1e-40 })).toEqual(likeliest);
    const both = await Promise.all([5, 5].map((seed) => model.generate([1], { seed })));
    expect(both[1]).toEqual(both[0]);
    expect(model.modules().every(({ training }) => training)).toBe(true);
    const controller = new AbortController();
    const seen: number[] = [];
    const short = await model.generate([1], {
      signal: controller.signal,
      onToken: (id) => {
        seen.push(id);
        if (seen.length === 3) controller.abort();
      },
    });
    expect(short).toEqual([1, ...seen]);
  });

  test("refuses prompts and options that make no sense", async () => {
    const model = new RecurrentLM({ vocabSize: 9, embeddingDim: 4, hiddenSize: 8 });
    await expect(model.generate([])).rejects.toThrow(ArgumentError);
    for (const wrong of [undefined, "text", tensor([1])] as never[]) {
      await expect(model.generate(wrong)).rejects.toThrow(
        "generate: ids must be a list, or a list",
      );
    }
    await expect(model.generate([[1], [1, 2]])).rejects.toThrow("got lengths 1, 2");
    await expect(model.generate([1], { temperature: -1 })).rejects.toThrow("temperature");
    await expect(model.generate([1], { topK: 0 })).rejects.toThrow("topK");
    await expect(model.generate([9])).rejects.toThrow(IndexError);
    await expect(model.generate([1.5])).rejects.toThrow(
      "generate: ids must be integers of 32 bits, got 1.5.",
    );
  });
});

describe("recurrent layers", () => {
  test("say what shapes they need", () => {
    const lstm = new LSTM({ inputSize: 3, hiddenSize: 4 });
    expect(() => lstm.forward(zeros([2, 5, 4]))).toThrow(ShapeError);
    expect(() => lstm.forward(zeros([2, 0, 3]))).toThrow("at least one time");
    expect(() => lstm.forward(zeros([2, 5, 3]), [zeros([1, 2, 3]), zeros([1, 2, 4])])).toThrow(
      "the state must be",
    );
    const as = <T>(value: unknown) => value as T; // what only JavaScript lets pass
    expect(() => lstm.forward(zeros([2, 5, 3]), as(zeros([1, 2, 4])))).toThrow(
      "LSTM: the state must be a list of h and c, each [layers · directions, batch, hiddenSize] = [1, 2, 4], got [1, 2, 4].",
    );
    expect(() => lstm.forward(zeros([2, 5, 3]), as([zeros([1, 2, 4])]))).toThrow(
      "got a list of [1, 2, 4].",
    );
    expect(() => lstm.forward(zeros([2, 5, 3]), as({ lengths: [5, 5] }))).toThrow(
      "got object. Without one, pass undefined; options come behind it.",
    );
    const gru = new GRU({ inputSize: 3, hiddenSize: 4, batchFirst: false });
    expect(() => gru.forward(zeros([5, 2, 3]), as([zeros([1, 2, 4])]))).toThrow(
      "GRU: the state must be [layers · directions, batch, hiddenSize] = [1, 2, 4], got a list of [1, 2, 4].",
    );
    expect(() => gru.forward(zeros([5, 3]), zeros([1, 1, 4]))).toThrow("hiddenSize] = [1, 4], got");
    expect(() => new LSTMCell(3, 4).forward(zeros([2, 3]), as([zeros([2, 4])]))).toThrow(
      "LSTMCell: the state must be a list of h and c, each [batch, hiddenSize] = [2, 4]",
    );
    expect(() => lstm.forward(zeros([2, 5, 3]), undefined, { lengths: [5, 6] })).toThrow(
      "1 … 5, got 6",
    );
    expect(() => lstm.forward(zeros([2, 5, 3]), undefined, { lengths: [5] })).toThrow(
      "lengths must be [2]",
    );
    const later = tensor([5, 6], { dtype: "int32" });
    const [, [late]] = lstm.forward(zeros([2, 5, 3]), undefined, { lengths: later });
    expect(() => late.dataSync()).toThrow(IndexError);
    expect(() => new LSTMCell(3, 4).forward(zeros([2, 4]))).toThrow("LSTMCell: x must be");
    expect(() => new GRU({ inputSize: 0, hiddenSize: 4 })).toThrow(ArgumentError);
    expect(String(new RNN({ inputSize: 3, hiddenSize: 4, numLayers: 2 }))).toContain(
      "RNN(3, 4, numLayers=2",
    );
  });

  test("compute in the larger precision of inputs, weights and state", () => {
    const single = new LSTM({ inputSize: 3, hiddenSize: 4 });
    const double = new LSTM({ inputSize: 3, hiddenSize: 4 }).to("float64");
    double.loadStateDict(single.stateDict());
    const x = randn([2, 5, 3]);
    const state: [Tensor, Tensor] = [randn([1, 2, 4]), randn([1, 2, 4])];
    const [mixed] = state.map((part) => part.to("float64"));
    for (const start of [undefined, state]) {
      const [wanted] = single.forward(x, start);
      const outputs = [double.forward(x, start), single.forward(x.to("float64"), start)];
      if (start)
        outputs.push(single.forward(x, [mixed, start[1]]), single.forward(x, [start[0], mixed]));
      for (const [output, [h, c]] of outputs) {
        expect([output.dtype, h.dtype, c.dtype]).toEqual(["float64", "float64", "float64"]);
      }
      expect(outputs[0][0].to("float32").allclose(wanted, { atol: 1e-6 })).toBe(true);
    }
    const counts = tensor(
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      { dtype: "int32" },
    );
    const [ofCounts] = single.forward(counts);
    expect(ofCounts.allclose(single.forward(counts.to("float32"))[0], { atol: 1e-6 })).toBe(true);
  });

  test("end their outputs in their state, and have the parameters that the formulas need", () => {
    manualSeed(4);
    const model = new LSTM({ inputSize: 2, hiddenSize: 24 });
    expect(model.numParameters).toBe(4 * 24 * (2 + 24 + 2));
    const [output, [h]] = model.forward(zeros([3, 100, 2]));
    expect(output.shape).toEqual([3, 100, 24]);
    expect(output.select(1, -1).allclose(h.select(0, 0))).toBe(true);
  });
});
