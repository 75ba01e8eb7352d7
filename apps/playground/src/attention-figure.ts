// What a translator looks at, drawn: for each word that it writes, how much of each word that it reads.
import { colours, fontFamily } from "./figure.ts";

/** A sentence, what was made of it, and the weights `[written, read]`, row by row. */
export interface Alignment {
  readonly read: readonly string[];
  readonly written: readonly string[];
  readonly weights: ArrayLike<number>;
}

const cell = 44;
const margin = 24;
const header = 76;
const labels = { left: 104, top: 34 };

/** Heat maps side by side, as one SVG document. */
export function drawAlignments(
  title: string,
  subtitle: string,
  alignments: readonly Alignment[],
): string {
  let left = margin;
  let lowest = 0;
  const parts: string[] = [];
  for (const { read, written, weights } of alignments) {
    const [x0, y0] = [left + labels.left, header + labels.top];
    for (const [column, word] of read.entries()) {
      parts.push(text(x0 + (column + 0.5) * cell, y0 - 10, word, 15, "middle"));
    }
    for (const [row, word] of written.entries()) {
      parts.push(text(x0 - 8, y0 + (row + 0.5) * cell + 5, word, 13, "end"));
      for (const column of read.keys()) {
        const weight = weights[row * read.length + column];
        const shade = `fill="${colours.fit}" fill-opacity="${weight.toFixed(3)}" stroke="#e5e7eb"`;
        parts.push(
          `<rect x="${x0 + column * cell}" y="${y0 + row * cell}" width="${cell}" height="${cell}" ${shade}/>`,
        );
      }
    }
    left = x0 + read.length * cell + margin;
    lowest = Math.max(lowest, y0 + written.length * cell);
  }
  const [width, height] = [Math.max(left, 560), lowest + margin];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="${fontFamily}, ZCOOL XiaoWei, system-ui, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(margin, 34, title, 20, "start", 600),
    text(margin, 57, subtitle, 13, "start", 400, colours.muted),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(
  x: number,
  y: number,
  content: string,
  size: number,
  anchor: "start" | "middle" | "end",
  weight = 400,
  colour: string = colours.text,
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${escaped}</text>`;
}
