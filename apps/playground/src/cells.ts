// What the cells of an LSTM hold while it reads a text, and which of them follow something that people see, too.
import { LSTM, type RecurrentLM } from "@gradloom/rnn-lstm";
import { compile, fromTypedArray, noGrad, type Tensor } from "@gradloom/tensor";

/** One row of values for each cell: what it holds behind each character. */
export interface CellTrace {
  /** `tanh(c)`: what is remembered, as the output gate sees it. */
  readonly c: readonly Float32Array[];
  /** `h`: what is shown of it. */
  readonly h: readonly Float32Array[];
}

/** Something that can be said of each character of a text. */
interface Trait {
  readonly name: string;
  /** Its value behind each character. */
  readonly of: (text: readonly string[]) => number[];
}

/** A cell, and what it goes along with. */
export interface KnownCell {
  readonly cell: number;
  readonly trait: string;
  /** From −1 to 1, between `tanh(c)` and the trait. */
  readonly correlation: number;
}

const traits: readonly Trait[] = [
  { name: "how long the line is so far", of: (text) => since(text, "\n", 80) },
  { name: "being inside quotation marks", of: insideQuotes },
  { name: "how long the word is so far", of: (text) => since(text, " \n—-", 10) },
  { name: "how long the sentence is so far", of: (text) => since(text, ".!?", 120) },
  { name: "a vowel", of: (text) => text.map((c) => Number("aeiouAEIOU".includes(c))) },
];

/** The state of the last layer behind each character. */
export async function traceCells(model: RecurrentLM, ids: Int32Array): Promise<CellTrace> {
  const { rnn } = model;
  if (!(rnn instanceof LSTM)) throw new TypeError("traceCells: the model must be an LSTM.");
  model.eval();
  const step = compile((id: Tensor, ...state: Tensor[]) =>
    noGrad(() => {
      const [, next] = model.forward(id, state.length > 0 ? state : undefined);
      return [...next];
    }),
  );
  const rows = () => Array.from({ length: rnn.hiddenSize }, () => new Float32Array(ids.length));
  const trace = { c: rows(), h: rows() };
  let state: Tensor[] = [];
  for (const [time, id] of ids.entries()) {
    state = step(fromTypedArray(Int32Array.of(id), [1, 1]), ...state); // h and c, [layers, 1, hiddenSize]
    const [h, c] = state.map((part) => part.select(0, -1).flatten());
    const [shown, held] = [await h.data(), await c.data()];
    for (let cell = 0; cell < rnn.hiddenSize; cell++) {
      trace.h[cell][time] = Number(shown[cell]);
      trace.c[cell][time] = Math.tanh(Number(held[cell]));
    }
  }
  return trace;
}

/** For each trait the cell that goes along with it most closely, each cell once. */
export function knownCells({ c }: CellTrace, text: readonly string[]): KnownCell[] {
  const taken = new Set<number>();
  return traits.map(({ name, of }) => {
    const values = of(text);
    const best = c
      .map((row, cell) => ({ cell, trait: name, correlation: correlation(row, values) }))
      .filter(({ cell }) => !taken.has(cell))
      .reduce((a, b) => (Math.abs(b.correlation) > Math.abs(a.correlation) ? b : a));
    taken.add(best.cell);
    return best;
  });
}

/** Pearson's correlation of two rows; 0 if one of them does not change. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (row: ArrayLike<number>) =>
    Array.from(row).reduce((sum, value) => sum + value, 0) / row.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - meanA) * (b[i] - meanB);
    aa += (a[i] - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  }
  return aa * bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Characters since one of `ends`, at most `most`. */
function since(text: readonly string[], ends: string, most: number): number[] {
  let count = 0;
  return text.map((character) => {
    count = ends.includes(character) ? 0 : Math.min(most, count + 1);
    return count;
  });
}

/** 1 from an opening mark up to its closing one, else 0; a paragraph ends what its end has left open. */
function insideQuotes(text: readonly string[]): number[] {
  let inside = 0;
  return text.map((character, i) => {
    if (character === "“") inside = 1;
    if (character === "”" || (character === "\n" && text[i - 1] === "\n")) inside = 0;
    return inside;
  });
}
