import { FeedForward, LayerNorm } from "@gradloom/layers";
import { ArgumentError, manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Decoder, DecoderLayer, Encoder, EncoderLayer } from "../src/index.ts";

describe("layers and stacks", () => {
  test("an encoder is its layers, one after the other, and the norm", () => {
    manualSeed(1);
    const layers = [0, 1].map(() => new EncoderLayer(4, 2, 8, { dropout: 0 }));
    const norm = new LayerNorm(4);
    const x = randn([2, 3, 4]);
    const expected = norm.forward(layers[1].forward(layers[0].forward(x)));
    expect(new Encoder(layers, { norm }).forward(x).allclose(expected)).toBe(true);
    expect(new Encoder(layers).forward(x).allclose(layers[1].forward(layers[0].forward(x)))).toBe(
      true,
    );
  });

  test("a decoder sees the past alone, unless it is told otherwise", () => {
    manualSeed(2);
    const decoder = new Decoder([new DecoderLayer(4, 2, 8, { dropout: 0 })]);
    const [x, memory] = [randn([1, 3, 4]), randn([1, 2, 4])];
    const whole = decoder.forward(x, memory);
    const begin = decoder.forward(x.narrow(1, 0, 2), memory);
    expect(whole.narrow(1, 0, 2).allclose(begin, { atol: 1e-6 })).toBe(true);
    const open = decoder.forward(x, memory, { isCausal: false });
    expect(open.narrow(1, 0, 2).allclose(begin, { atol: 1e-2 })).toBe(false);
  });

  test("weights are shown on request, with the layer that they are from", () => {
    manualSeed(3);
    const encoder = new Encoder([0, 1].map(() => new EncoderLayer(4, 2, 8, { dropout: 0 })));
    const decoder = new Decoder([0, 1].map(() => new DecoderLayer(4, 2, 8, { dropout: 0 })));
    const [x, memory] = [randn([1, 3, 4]), randn([1, 5, 4])];
    const seen: [string, number, readonly number[]][] = [];
    const onWeights = (weights: Tensor, kind: string, layer: number) =>
      seen.push([kind, layer, weights.shape]);
    const plain = decoder.forward(x, encoder.forward(memory));
    const y = decoder.forward(x, encoder.forward(memory, { onWeights }), { onWeights });
    expect(y.allclose(plain, { atol: 1e-6 })).toBe(true);
    expect(seen).toEqual([
      ["self", 0, [1, 2, 5, 5]],
      ["self", 1, [1, 2, 5, 5]],
      ["self", 0, [1, 2, 3, 3]],
      ["memory", 0, [1, 2, 3, 5]],
      ["self", 1, [1, 2, 3, 3]],
      ["memory", 1, [1, 2, 3, 5]],
    ]);
  });

  test("a feed-forward part of one's own takes the place of linear1 and linear2", () => {
    manualSeed(4);
    const feedForward = new FeedForward(4, 6);
    const layer = new EncoderLayer(4, 2, 8, { dropout: 0, feedForward });
    expect(Object.keys(layer.stateDict()).filter((key) => /linear|forward/.test(key))).toEqual([
      "feed_forward.up.weight",
      "feed_forward.up.bias",
      "feed_forward.down.weight",
      "feed_forward.down.bias",
    ]);
    const x = randn([1, 3, 4]);
    const y = layer.norm1.forward(x.add(layer.selfAttn.forward(x, x, x)));
    const expected = layer.norm2.forward(y.add(feedForward.forward(y)));
    expect(layer.forward(x).allclose(expected)).toBe(true);
  });

  test("dropout acts on sums and inside", () => {
    manualSeed(5);
    const layer = new DecoderLayer(4, 2, 8, { dropout: 0.5, normFirst: true });
    const [x, memory] = [randn([1, 3, 4]), randn([1, 2, 4])];
    expect(layer.forward(x, memory).allclose(layer.forward(x, memory))).toBe(false);
    layer.eval();
    expect(layer.forward(x, memory).allclose(layer.forward(x, memory))).toBe(true);
  });

  test("activations are checked when a layer is made", () => {
    const options = { activation: "rleu" as "relu" };
    expect(() => new EncoderLayer(4, 2, 8, options)).toThrow(ArgumentError);
    expect(() => new DecoderLayer(4, 2, 8, options)).toThrow("DecoderLayer: activation must be");
  });

  test("an encoder without a batch axis", () => {
    manualSeed(6);
    const layer = new EncoderLayer(4, 2, 8, { dropout: 0 });
    const x = randn([3, 4]);
    const keyPaddingMask = tensor([false, false, true]);
    const one = layer.forward(x.unsqueeze(0), { keyPaddingMask: keyPaddingMask.unsqueeze(0) });
    expect(layer.forward(x, { keyPaddingMask }).allclose(one.squeeze(0))).toBe(true);
  });
});
