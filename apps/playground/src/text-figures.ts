// The pictures of the run on a text: how well it is predicted, and what the cells hold.
import type { CellTrace, KnownCell } from "./cells.ts";
import { curveColours, curvesChart, levelColour } from "./curves-chart.ts";
import type { LanguagePoint } from "./language.ts";
import { drawPixelFigure, type PixelImage } from "./pixel-figure.ts";

/** A network's curve. */
export interface LanguageCurve {
  readonly name: string;
  readonly points: readonly LanguagePoint[];
}

/** Bits for each character against the time of training. */
export function bitsFigure(
  curves: readonly LanguageCurve[],
  bitsFromPairs: number,
  subtitle: string,
): string {
  return curvesChart({
    title: "Predicting the next character of Moby Dick",
    subtitle,
    x: "seconds of training",
    y: "bits for each character of a part that was not trained on",
    curves: curves.map(({ name, points }, i) => ({
      label: name,
      colour: curveColours[i],
      points: points.map(({ seconds, bits }) => ({ x: seconds, y: bits })),
    })),
    levels: [
      {
        label: `from the last character alone: ${bitsFromPairs.toFixed(2)}`,
        y: bitsFromPairs,
        colour: levelColour,
      },
    ],
  });
}

/** Where a piece of a text begins and ends. */
export interface Excerpt {
  readonly start: number;
  readonly end: number;
}

/** Known cells, then the first `count` cells: a column for each character, with the text below. */
export function cellsFigure(
  trace: CellTrace,
  known: readonly KnownCell[],
  text: readonly string[],
  { start, end }: Excerpt,
  count: number,
): string {
  const columns = text.slice(start, end).map((character) => (character === "\n" ? "¶" : character));
  const heat = (rows: readonly Float32Array[]): PixelImage => ({
    values: Float32Array.from(rows.flatMap((row) => [...row.subarray(start, end)])),
    height: rows.length,
    width: end - start,
    palette: "signed",
    columns,
  });
  const scale = 8;
  return drawPixelFigure(
    "What the cells of the LSTM hold while it reads",
    "a column behind each character; orange is above 0, blue below",
    [
      ...known.map(({ cell, trait, correlation }) => ({
        title: `cell ${cell} goes along with ${trait} (correlation ${correlation.toFixed(2).replace("-", "−")}): tanh(c) above, h below`,
        images: [heat([trace.c[cell], trace.c[cell], trace.h[cell], trace.h[cell]])],
        scale,
      })),
      {
        title: `c: what the first ${count} cells remember, as tanh(c)`,
        images: [heat(trace.c.slice(0, count))],
        scale,
      },
      {
        title: "h: what the same cells show, o · tanh(c)",
        images: [heat(trace.h.slice(0, count))],
        scale,
      },
    ],
  );
}

/** The `length` characters with the longest quotation that is in them from end to end; the first ones if there is none. */
export function excerptWithQuotes(text: readonly string[], length: number): Excerpt {
  let best = 0;
  let most = -1;
  for (let start = 0; start + length <= text.length; start += 10) {
    const piece = text.slice(start, start + length);
    const open = piece.indexOf("“");
    const close = piece.indexOf("”", open);
    const score = open > 10 && close > open && close < length - 10 ? close - open : 0;
    if (score > most) [best, most] = [start, score];
  }
  return { start: best, end: Math.min(text.length, best + length) };
}
