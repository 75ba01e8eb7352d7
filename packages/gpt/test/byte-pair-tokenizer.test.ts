import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IndexError } from "@gradloom/tensor";
import tokens from "gpt-tokenizer/bpeRanks/r50k_base";
import * as r50k from "gpt-tokenizer/encoding/r50k_base";
import { describe, expect, test } from "vitest";
import { BytePairTokenizer } from "../src/index.ts";

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
}

const path = join(import.meta.dirname, "fixtures", "gpt2-tokens.json");
const cases: readonly Case[] = JSON.parse(readFileSync(path, "utf8"));
const tokenizer = new BytePairTokenizer(r50k, tokens);

describe("GPT-2's tokens", () => {
  test.each(cases)("$text", ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  test("there are 50,257, of which the last ends a text", () => {
    expect(tokenizer.vocabSize).toBe(50257);
    expect(tokenizer.decode([50256])).toBe("<|endoftext|>");
    expect(() => tokenizer.decode([50257])).toThrow(IndexError);
    expect(() => tokenizer.decode([0.5])).toThrow(IndexError);
  });

  test("a byte order mark stays", () => {
    const text = "\ufeffa \ufeffb";
    expect(tokenizer.encode("\ufeff")).toEqual([171, 119, 123]);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  test("half a character is no text", () => {
    const [first, second] = tokenizer.encode("😀");
    expect(tokenizer.decode([first])).toBe("\ufffd");
    expect(tokenizer.decode([first, 15496, second])).toBe("\ufffdHello\ufffd");
    expect(tokenizer.decode([first, second])).toBe("😀");
  });
});
