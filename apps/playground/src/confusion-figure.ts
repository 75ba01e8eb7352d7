// The picture of a confusion matrix.
import { drawPixelFigure, type PixelImage } from "./pixel-figure.ts";

/** What the numbers are of. */
interface ConfusionCaptions {
  /** "digits", "sounds": what is taken for each other. */
  readonly what: string;
  /** The labels, in the order of the rows. */
  readonly labels: string;
}

/** The confusion matrix, rows being the truth, with mistakes magnified. */
export function confusionFigure(
  matrix: readonly (readonly number[])[],
  { what, labels }: ConfusionCaptions,
): string {
  const most = Math.max(1, ...matrix.flatMap((row, i) => row.filter((_, j) => i !== j)));
  const image: PixelImage = {
    values: matrix.flatMap((row, i) =>
      row.map((count, j) => (i === j ? -0.12 : 0.15 * Math.sign(count) + (0.85 * count) / most)),
    ),
    height: matrix.length,
    width: matrix.length,
    palette: "signed",
    numbers: matrix.flat().map((count) => (count === 0 ? "" : String(count))),
    caption: `columns: what the model says · rows: what it is · ${labels}`,
  };
  return drawPixelFigure(`Which ${what} are taken for which`, `counts of test ${what}`, [
    { images: [image], scale: 36 },
  ]);
}
