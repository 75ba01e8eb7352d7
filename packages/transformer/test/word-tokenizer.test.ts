import { ArgumentError } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { padSequences, WordTokenizer } from "../src/index.ts";

describe("WordTokenizer", () => {
  const tokenizer = WordTokenizer.fromTexts(["我 爱 吃 火锅", "你 爱 吃 米饭"]);

  test("numbers words in the order in which they occur, behind the special ones", () => {
    expect(tokenizer.vocabulary).toEqual([
      ..."<pad> <bos> <eos> <unk>".split(" "),
      ..."我 爱 吃 火锅 你 米饭".split(" "),
    ]);
    expect(tokenizer.vocabSize).toBe(10);
    expect(tokenizer.encode("我 爱  米饭", { bos: true, eos: true })).toEqual([1, 4, 5, 9, 2]);
    expect(tokenizer.encode("我 恨 你")).toEqual([4, 3, 8]);
  });

  test("gives the text back, without what only frames it", () => {
    expect(tokenizer.decode([1, 4, 5, 6, 7, 2, 0, 0])).toBe("我 爱 吃 火锅");
    expect(tokenizer.decode([4, 3])).toBe("我 <unk>");
    expect(() => tokenizer.decode([10])).toThrow("decode: ids must be in 0 … 9, got 10.");
  });

  test("is made again from its vocabulary; rare words are left out; words may be characters", () => {
    const again = new WordTokenizer(tokenizer.vocabulary);
    expect(again.encode("你 吃 火锅")).toEqual(tokenizer.encode("你 吃 火锅"));
    expect(WordTokenizer.fromTexts(["a b a"], { minCount: 2 }).vocabulary.slice(4)).toEqual(["a"]);
    const characters = WordTokenizer.fromTexts(["abca"], {
      split: (text) => [...text],
      separator: "",
    });
    expect(characters.decode(characters.encode("cab"))).toBe("cab");
    expect(() => new WordTokenizer(["a", "b", "a"])).toThrow(ArgumentError);
  });

  test("sequences are filled up", () => {
    const { ids, paddingMask } = padSequences([[5, 6, 2], [7]], { padId: 9 });
    expect(ids.arraySync()).toEqual([
      [5, 6, 2],
      [7, 9, 9],
    ]);
    expect(paddingMask.to("int32").arraySync()).toEqual([
      [0, 0, 0],
      [0, 1, 1],
    ]);
    expect(padSequences([[1]], { length: 3 }).ids.shape).toEqual([1, 3]);
    expect(() => padSequences([])).toThrow(ArgumentError);
    for (const id of [1.5, Number.NaN, 2 ** 32]) {
      expect(() => padSequences([[1], [id]])).toThrow(
        `ids must be integers of 32 bits, got ${id}.`,
      );
    }
  });
});
