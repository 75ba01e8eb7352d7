import { ArgumentError, tensor, zeros } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  Decoder,
  DecoderLayer,
  Encoder,
  EncoderLayer,
  MultiHeadAttention,
  padSequences,
  Transformer,
  WordTokenizer,
} from "../src/index.ts";

const ids = tensor([[1, 2]], { dtype: "int32" });

test("what is no text, and no list of ids", () => {
  const tokenizer = new WordTokenizer(["a", "b"]);
  expect(() => tokenizer.encode(undefined as never)).toThrow("encode: there must be a text, got");
  for (const wrong of [undefined, 3, ids] as never[]) {
    expect(() => tokenizer.decode(wrong)).toThrow(ArgumentError);
    expect(() => tokenizer.decode(wrong)).toThrow("decode: ids must be a list, got");
  }
  for (const wrong of [undefined, 3, [1, 2]] as never[]) {
    expect(() => padSequences(wrong)).toThrow("sequences must be a list of lists of ids, got");
  }
});

test("decoding of nothing, and by options that there are not", async () => {
  const model = new Transformer({
    srcVocabSize: 5,
    tgtVocabSize: 5,
    dModel: 4,
    numHeads: 2,
    numEncoderLayers: 1,
    numDecoderLayers: 1,
    dFf: 4,
  });
  const options = { bosId: 1, eosId: 2 };
  for (const name of ["greedyDecode", "beamSearch"] as const) {
    const run = (src: unknown, given: unknown) => model[name](src as typeof ids, given as never);
    await expect(run(undefined, options)).rejects.toThrow("padSequences: sequences must be a list");
    await expect(run(ids, undefined)).rejects.toThrow(
      `${name}: options must be among bosId, eosId`,
    );
    await expect(run(ids, { ...options, maxLen: 3 })).rejects.toThrow("got maxLen.");
  }
  // Of another function: it would be ignored.
  await expect(model.greedyDecode(ids, { ...options, beamSize: 2 } as never)).rejects.toThrow(
    "greedyDecode: options must be among bosId, eosId, maxLength, srcPaddingMask, useCache, got beamSize.",
  );
});

test("masks under PyTorch's names are refused, where nothing would be hidden; null is none", () => {
  const x = zeros([1, 3, 4]);
  const attention = new MultiHeadAttention(4, 2);
  const encoder = new EncoderLayer(4, 2, 4);
  const decoder = new DecoderLayer(4, 2, 4);
  const refused: [(options: never) => unknown, string, string][] = [
    [(o) => attention.forward(x, x, x, o), "attnMask", "MultiHeadAttention: options must be among"],
    [(o) => encoder.forward(x, o), "srcMask", "EncoderLayer: options must be among"],
    [(o) => new Encoder([encoder]).forward(x, o), "srcMask", "EncoderLayer: options must be among"],
    [(o) => decoder.forward(x, x, o), "tgtMask", "DecoderLayer: options must be among"],
    [(o) => new Decoder([decoder]).forward(x, x, o), "tgtMask", "DecoderLayer: options must be"],
    [(o) => new Encoder([encoder], o), "eps", "Encoder: options must be among norm"],
    [(o) => new Decoder([decoder], o), "eps", "Decoder: options must be among norm"],
  ];
  for (const [call, name, message] of refused) {
    const options = { [name]: zeros([3, 3]) } as never;
    expect(() => call(options)).toThrow(ArgumentError);
    expect(() => call(options)).toThrow(message);
    expect(() => call(options)).toThrow(`got ${name}.`);
  }
  const none = { mask: null, keyPaddingMask: null } as never;
  for (const y of [attention.forward(x, x, x, none), encoder.forward(x, none)]) {
    expect(y).toMatchObject({ shape: [1, 3, 4] });
  }
  const sizes = { srcVocabSize: 5, tgtVocabSize: 5, dModel: 4, numHeads: 2, dFf: 4 };
  const model = new Transformer({ ...sizes, numEncoderLayers: 1, numDecoderLayers: 1 });
  const call = () => model.forward(ids, ids, { srcKeyPaddingMask: ids.eq(0) } as never);
  expect(call).toThrow("Transformer: options must be among srcPaddingMask, tgtPaddingMask");
});

test("options of words and sequences that there are not", () => {
  const make = (options: unknown) => () => new WordTokenizer(["a"], options as never);
  expect(make({ sep: "" })).toThrow("WordTokenizer: options must be among split, separator");
  const texts = (options: unknown) => () => WordTokenizer.fromTexts(["a"], options as never);
  expect(texts({ min: 2 })).toThrow("fromTexts: options must be among minCount, split, separator");
  const encode = (options: unknown) => () => new WordTokenizer(["a"]).encode("a", options as never);
  expect(encode({ addEos: true })).toThrow("encode: options must be among bos, eos, got addEos.");
  const pad = (options: unknown) => () => padSequences([[1]], options as never);
  expect(pad({ maxLength: 3 })).toThrow("padSequences: options must be among padId, length");
});
