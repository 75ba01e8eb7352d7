// A picture made of small pictures: a title, rows of pixel images with captions, as one SVG document.
import { colours, fontFamily } from "./figure.ts";

/** One pixel image. Values are from −1 to 1: blue, white, orange; or from 0 to 1: white to black. */
export interface PixelImage {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly palette: "ink" | "signed" | "heat";
  readonly caption?: string;
  /** Draws the caption as a mistake. */
  readonly isWrong?: boolean;
  /** Numbers to write into the pixels. */
  readonly numbers?: readonly string[];
}

/** Images in rows of one size. */
export interface PixelRow {
  readonly title?: string;
  readonly images: readonly PixelImage[];
  /** Units of a pixel. */
  readonly scale: number;
}

const margin = 24;
const gap = 14;
const header = 76;

/** The figure as an SVG document, as wide as its widest row. */
export function drawPixelFigure(
  title: string,
  subtitle: string,
  rows: readonly PixelRow[],
): string {
  let top = header;
  let right = 420;
  const parts: string[] = [];
  for (const { title: heading, images, scale } of rows) {
    if (heading !== undefined) {
      parts.push(text(margin, top + 12, heading, 13, colours.text, 600));
      top += 24;
    }
    let left = margin;
    let lowest = top;
    for (const image of images) {
      parts.push(pixels(image, left, top, scale));
      const bottom = top + image.height * scale;
      const { caption, isWrong } = image;
      if (caption !== undefined) {
        const colour = isWrong ? colours.heldOut : colours.muted;
        parts.push(text(left, bottom + 14, caption, 11, colour, isWrong ? 600 : 400));
      }
      lowest = Math.max(lowest, bottom + (caption === undefined ? 0 : 18));
      left += image.width * scale + gap;
    }
    right = Math.max(right, left - gap + margin);
    top = lowest + gap;
  }
  const height = top + margin - gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${right}" height="${height}" ` +
      `viewBox="0 0 ${right} ${height}" font-family="${fontFamily}, system-ui, sans-serif">`,
    `<rect width="${right}" height="${height}" fill="white"/>`,
    text(margin, 34, title, 20, colours.text, 600),
    text(margin, 57, subtitle, 13, colours.muted, 400),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function pixels(image: PixelImage, left: number, top: number, scale: number): string {
  const { values, height, width, palette, numbers } = image;
  const parts = [
    `<rect x="${left}" y="${top}" width="${width * scale}" height="${height * scale}" fill="white" stroke="#d1d5db"/>`,
  ];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x];
      const [px, py] = [left + x * scale, top + y * scale];
      if (Math.abs(value) > 0.004) {
        parts.push(
          `<rect x="${px}" y="${py}" width="${scale}" height="${scale}" fill="${colourOf(value, palette)}" shape-rendering="crispEdges"/>`,
        );
      }
      const number = numbers?.[y * width + x];
      if (number !== undefined) {
        const colour = Math.abs(value) > 0.55 ? "white" : colours.text;
        parts.push(
          `<text x="${px + scale / 2}" y="${py + scale / 2 + 4}" font-size="11" text-anchor="middle" fill="${colour}">${number}</text>`,
        );
      }
    }
  }
  return parts.join("");
}

function colourOf(value: number, palette: PixelImage["palette"]): string {
  const amount = Math.min(1, Math.abs(value));
  const mix = (from: number, to: number) => Math.round(from + (to - from) * amount);
  if (palette === "ink") return `rgb(${mix(255, 17)},${mix(255, 24)},${mix(255, 39)})`;
  if (palette === "signed" && value > 0) {
    return `rgb(${mix(255, 194)},${mix(255, 84)},${mix(255, 4)})`;
  }
  return `rgb(${mix(255, 29)},${mix(255, 78)},${mix(255, 216)})`;
}

function text(
  x: number,
  y: number,
  content: string,
  size: number,
  colour: string,
  weight: number,
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped}</text>`;
}
