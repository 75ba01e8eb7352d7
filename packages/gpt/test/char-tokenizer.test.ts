import { IndexError } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { CharTokenizer } from "../src/index.ts";

describe("CharTokenizer", () => {
  test("characters are numbered in the order of code points", () => {
    const tokenizer = new CharTokenizer("hello, 你 😀 world");
    expect(tokenizer.characters.join("")).toBe(" ,dehlorw你😀");
    expect(tokenizer.vocabSize).toBe(11);
    expect(tokenizer.encode("😀你 hd")).toEqual([10, 9, 0, 4, 2]);
    expect(tokenizer.decode([10, 9, 0, 4, 2])).toBe("😀你 hd");
  });

  test("is made again from its characters", () => {
    const tokenizer = new CharTokenizer("some text");
    const again = new CharTokenizer(tokenizer.characters.join(""));
    expect(again.characters).toEqual(tokenizer.characters);
  });

  test("refuses what it does not know", () => {
    const tokenizer = new CharTokenizer("abc");
    expect(() => tokenizer.encode("abz")).toThrow(
      'encode: characters must be among the 3 known ones, got "z".',
    );
    expect(() => tokenizer.decode([3])).toThrow(IndexError);
    expect(() => tokenizer.decode([-1])).toThrow(IndexError);
  });
});
