import { ArgumentError, IndexError, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { BytePairTokenizer, CharTokenizer, GPT } from "../src/index.ts";

const encoding = { vocabularySize: 3, encode: () => [0], decode: () => "?" };
const tokenizers = {
  characters: new CharTokenizer("abc"),
  bytePairs: new BytePairTokenizer(encoding, ["a", "b", [99]]),
};

test.each(Object.entries(tokenizers))("%s: what is no text, and no list of ids", (_, tokenizer) => {
  for (const wrong of [undefined, 3, ["a"]] as never[]) {
    expect(() => tokenizer.encode(wrong)).toThrow(ArgumentError);
    expect(() => tokenizer.encode(wrong)).toThrow("encode: there must be a text, got");
  }
  for (const wrong of [undefined, 3, "abc", tensor([1], { dtype: "int32" })] as never[]) {
    expect(() => tokenizer.decode(wrong)).toThrow(ArgumentError);
    expect(() => tokenizer.decode(wrong)).toThrow("decode: ids must be a list, got");
  }
  expect(() => tokenizer.decode([[1]] as never)).toThrow(IndexError);
  expect(tokenizer.decode([2, 0])).toBe("ca");
});

test("tokenizers of nothing", () => {
  expect(() => new CharTokenizer(undefined as never)).toThrow(
    "CharTokenizer: there must be a text",
  );
  expect(() => new BytePairTokenizer(undefined as never, [])).toThrow(
    "BytePairTokenizer: there must be an encoding and its tokens",
  );
});

test("options of forward that there are not", () => {
  const sizes = { vocabSize: 3, maxSeqLen: 4, dModel: 2, numHeads: 1, numLayers: 1 };
  const ids = tensor([[0, 1]], { dtype: "int32" });
  expect(() => new GPT(sizes).forward(ids, { mask: ids.eq(0) } as never)).toThrow(
    "forward: options must be among cache, lengths, got mask.",
  );
  expect(() => new GPT(sizes).createCache({ batch: 2 } as never)).toThrow(
    "createCache: options must be among batchSize, got batch.",
  );
});
