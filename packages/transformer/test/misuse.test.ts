import { ArgumentError, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { padSequences, Transformer, WordTokenizer } from "../src/index.ts";

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
