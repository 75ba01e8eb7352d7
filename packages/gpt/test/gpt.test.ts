import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadShardedSafetensors, saveSafetensors } from "@gradloom/checkpoint";
import { Linear, Module } from "@gradloom/layers";
import { crossEntropyLoss } from "@gradloom/loss";
import { AdamW } from "@gradloom/optim";
import {
  ArgumentError,
  manualSeed,
  ShapeError,
  StateError,
  type Tensor,
  tensor,
} from "@gradloom/tensor";
import { beforeEach, describe, expect, test } from "vitest";
import { CausalSelfAttention, GPT, presets, TransformerDecoderBlock } from "../src/index.ts";

const sizes = { vocabSize: 11, maxSeqLen: 8, dModel: 12, numHeads: 3, numLayers: 2 };
const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });

beforeEach(() => {
  manualSeed(1);
});

describe("GPT", () => {
  test("the sizes of GPT-2 have the published numbers of parameters", () => {
    const count = ({ vocabSize: v, maxSeqLen: t, dModel: d, numLayers: l }: typeof presets.gpt2) =>
      v * d + t * d + l * (12 * d * d + 13 * d) + 2 * d;
    expect(new GPT({ ...presets.gpt2, numLayers: 1, vocabSize: 7 }).numParameters).toBe(
      count({ ...presets.gpt2, numLayers: 1, vocabSize: 7 }),
    );
    const millions = Object.values(presets).map((preset) => Math.round(count(preset) / 1e6));
    expect(millions).toEqual([124, 355, 774, 1558]);
  });

  test("a position sees itself and those before", async () => {
    const model = new GPT(sizes);
    const logits = async (row: number[]) => await model.forward(ids(row)).data();
    const one = await logits([1, 2, 3, 4, 5]);
    const other = await logits([1, 2, 3, 9, 9]);
    expect(other.slice(0, 33)).toEqual(one.slice(0, 33));
    expect(other.slice(33, 44)).not.toEqual(one.slice(33, 44));
    const order = await logits([2, 1, 3, 4, 5]);
    expect(order.slice(44)).not.toEqual(one.slice(44));
  });

  test("the loss of random weights is that of guessing", async () => {
    const model = new GPT(sizes);
    const loss = crossEntropyLoss(
      model.forward(ids([1, 2, 3, 4])).reshape([4, 11]),
      tensor([2, 3, 4, 5], { dtype: "int32" }),
    );
    expect(Math.abs((await loss.item()) - Math.log(11))).toBeLessThan(0.1);
  });

  test("the head is the embedding of tokens, unless it has weights of its own", () => {
    const tied = new GPT(sizes);
    expect(Object.keys(tied.stateDict()).filter((key) => key.startsWith("head"))).toEqual([]);
    const free = new GPT({ ...sizes, tieWeights: false });
    expect(free.head?.weight.shape).toEqual([11, 12]);
    expect(free.numParameters).toBe(tied.numParameters + 132);
  });

  test("without biases there are none", () => {
    const keys = Object.keys(new GPT({ ...sizes, bias: false }).stateDict());
    expect(keys.filter((key) => key.includes("bias"))).toEqual([]);
  });

  test("takes any feed-forward", () => {
    class Doubled extends Module {
      readonly map: Linear;
      constructor(dModel: number) {
        super();
        this.map = new Linear(dModel, dModel);
      }
      forward(x: Tensor): Tensor {
        return this.map.forward(x).mul(2);
      }
    }
    const model = new GPT({ ...sizes, feedForward: (dModel) => new Doubled(dModel) });
    expect(Object.keys(model.stateDict())).toContain("blocks.1.ffn.map.weight");
    const logits = model.forward(ids([1, 2]));
    logits.sum().backward();
    expect(model.parameters().every((parameter) => parameter.grad !== null)).toBe(true);
  });

  test("dropout is drawn in training only", async () => {
    const model = new GPT({ ...sizes, dropout: 0.5 });
    const twice = async () => [
      await model.forward(ids([1, 2])).data(),
      await model.forward(ids([1, 2])).data(),
    ];
    const [a, b] = await twice();
    expect(a).not.toEqual(b);
    model.eval();
    const [c, d] = await twice();
    expect(c).toEqual(d);
  });

  test("refuses what does not fit", () => {
    const model = new GPT(sizes);
    const long = ids([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(() => model.forward(long)).toThrow(
      "forward: ids must be [batch, time] with at most maxSeqLen = 8 tokens a row, got [1, 9].",
    );
    expect(() => model.forward(tensor([1, 2], { dtype: "int32" }))).toThrow(ShapeError);
    expect(() => model.forward(ids([11]))).toThrow("embedding");
    expect(() => new GPT({ ...sizes, numHeads: 5 })).toThrow(
      "CausalSelfAttention: numHeads must divide dModel, got 5 and 12.",
    );
    expect(() => new GPT({ ...sizes, numLayers: 0 })).toThrow(
      "GPT: numLayers must be a positive integer, got 0.",
    );
    expect(() => model.createCache({ batchSize: 0 })).toThrow(ArgumentError);
  });
});

describe("the parts", () => {
  test("attention's weights are what it averages with", async () => {
    const attention = new CausalSelfAttention(6, 2);
    const x = tensor([
      [
        [1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1],
        [0, 1, 0, 1, 0, 1],
      ],
    ]);
    const weights = attention.weights(x);
    expect(weights.shape).toEqual([1, 2, 3, 3]);
    const rows = await weights.sum(-1).data();
    for (const sum of rows) expect(sum).toBeCloseTo(1, 5);
    expect(await weights.triu(1).abs().sum().item()).toBe(0);
    const v = attention.qkv.forward(x).narrow(-1, 12, 6).reshape([1, 3, 2, 3]).transpose(1, 2);
    const byHand = attention.proj.forward(weights.matmul(v).transpose(1, 2).reshape([1, 3, 6]));
    const error = attention.forward(x).sub(byHand).abs().max();
    expect(await error.item()).toBeLessThan(1e-5);
  });

  test("a block adds to what it gets", async () => {
    const block = new TransformerDecoderBlock(6, 2);
    const x = tensor([[[1, 2, 3, 4, 5, 6]]]);
    const y = x.add(block.attn.forward(block.ln1.forward(x)));
    const byHand = y.add(block.ffn.forward(block.ln2.forward(y)));
    expect(await block.forward(x).sub(byHand).abs().max().item()).toBe(0);
  });
});

describe("fromStateDict", () => {
  test("reads what stateDict gives", async () => {
    const model = new GPT({ ...sizes, bias: false, tieWeights: false });
    const again = GPT.fromStateDict(model.stateDict(), { numHeads: 3 });
    expect(again.head).toBeDefined();
    const wanted = await model.forward(ids([1, 2, 3])).data();
    expect(await again.forward(ids([1, 2, 3])).data()).toEqual(wanted);
  });

  test("keeps float64", async () => {
    const model = new GPT(sizes).to("float64");
    const again = GPT.fromStateDict(model.stateDict(), { numHeads: 3 });
    const wanted = await model.forward(ids([1, 2, 3])).data();
    expect(wanted).toBeInstanceOf(Float64Array);
    expect(await again.forward(ids([1, 2, 3])).data()).toEqual(wanted);
  });

  test("a head that equals the embedding is tied", () => {
    const dict = new GPT(sizes).stateDict();
    const tied = { ...dict, "lm_head.weight": dict["wte.weight"].clone() };
    expect(GPT.fromStateDict(tied, { numHeads: 3 }).head).toBeUndefined();
    const other = { ...dict, "lm_head.weight": dict["wte.weight"].mul(2) };
    expect(GPT.fromStateDict(other, { numHeads: 3 }).head).toBeDefined();
  });

  test("reads weights in several files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradloom-gpt-weights-"));
    try {
      const model = new GPT(sizes);
      const entries = Object.entries(model.stateDict());
      const half = entries.length >> 1;
      const files: Record<string, string> = {};
      for (const [file, part] of [
        ["model-1.safetensors", entries.slice(0, half)],
        ["model-2.safetensors", entries.slice(half)],
      ] as const) {
        await saveSafetensors(join(folder, file), Object.fromEntries(part));
        for (const [key] of part) files[key] = file;
      }
      const index = join(folder, "model.safetensors.index.json");
      writeFileSync(index, JSON.stringify({ weight_map: files }));
      const again = GPT.fromStateDict(await loadShardedSafetensors(index), { numHeads: 3 });
      const wanted = await model.forward(ids([1, 2, 3])).data();
      expect(await again.forward(ids([1, 2, 3])).data()).toEqual(wanted);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("says what is wrong with weights", () => {
    const dict = new GPT(sizes).stateDict();
    expect(() => GPT.fromStateDict({ "fc.weight": dict["wte.weight"] }, { numHeads: 3 })).toThrow(
      "fromStateDict: the state dict must be one of a GPT, got none with wte.weight (its first names: fc.weight).",
    );
    const { "blocks.1.ln2.weight": _, ...incomplete } = dict;
    expect(() => GPT.fromStateDict(incomplete, { numHeads: 3 })).toThrow(StateError);
    const more = { ...dict, "blocks.1.extra": dict["ln_f.weight"] };
    expect(() => GPT.fromStateDict(more, { numHeads: 3 })).toThrow("unexpected: blocks.1.extra");
    expect(() => GPT.fromStateDict(dict, { numHeads: 3, dModel: 24 })).toThrow(
      "fromStateDict: dModel must be that of the weights, got 24 for weights with 12.",
    );
  });
});

describe("learning", () => {
  test("a small GPT learns to copy, which takes attention", async () => {
    // Three random tokens, a mark, and the same three again: only by looking back can the last three be known.
    const model = new GPT({ vocabSize: 9, maxSeqLen: 7, dModel: 32, numHeads: 4, numLayers: 2 });
    const optimizer = new AdamW(model.parameters(), { lr: 3e-3, weightDecay: 0.01 });
    let random = 7;
    const draw = () => {
      random = (random * 1103515245 + 12345) % 2 ** 31;
      return Math.floor(random / 65536) % 8;
    };
    const batch = () => {
      const rows = Array.from({ length: 32 }, () => {
        const copied = [draw(), draw(), draw()];
        return [...copied, 8, ...copied];
      });
      return ids(...rows);
    };
    let loss = Number.NaN;
    for (let step = 0; step < 500; step++) {
      const text = batch();
      const logits = model.forward(text.narrow(1, 0, 6)).narrow(1, 3, 3);
      const target = text.narrow(1, 4, 3);
      const criterion = crossEntropyLoss(logits.reshape([-1, 9]), target.reshape([-1]));
      optimizer.zeroGrad();
      criterion.backward();
      optimizer.step();
      if (step === 499) loss = await criterion.item();
    }
    expect(loss).toBeLessThan(0.05);
    for (const copied of [
      [1, 5, 2],
      [7, 0, 7],
      [3, 3, 4],
    ]) {
      const text = await model.generate([...copied, 8], { maxNewTokens: 3, temperature: 0 });
      expect(text).toEqual([...copied, 8, ...copied]);
    }
  });
});
