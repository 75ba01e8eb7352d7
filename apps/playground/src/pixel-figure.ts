// A picture made of small pictures: a title, rows of pixel images with captions, as one SVG document.
import { colours, fontFamily } from "./figure.ts";

/**
 * One pixel image. Values are from −1 to 1: blue, white, orange; or from 0 to 1: white to black. A coloured one has three planes, of
 * red, green and blue, each from 0 to 1.
 */
export interface PixelImage {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly palette: "ink" | "signed" | "heat" | "rgb";
  readonly caption?: string;
  /** Draws the caption as a mistake. */
  readonly isWrong?: boolean;
  /** Numbers to write into the pixels. */
  readonly numbers?: readonly string[];
  /** Characters to write below the columns. */
  readonly columns?: readonly string[];
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
      const { caption, isWrong, columns } = image;
      if (caption !== undefined) {
        const colour = isWrong ? colours.heldOut : colours.muted;
        parts.push(text(left, bottom + 14, caption, 11, colour, isWrong ? 600 : 400));
      }
      columns?.forEach((character, i) => {
        const centre = left + (i + 0.5) * scale;
        parts.push(text(centre, bottom + 11, character, 10, colours.text, 400, "middle"));
      });
      lowest = Math.max(lowest, bottom + ((caption ?? columns) ? 18 : 0));
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
  const { values, height, width, numbers } = image;
  const parts = [
    `<rect x="${left}" y="${top}" width="${width * scale}" height="${height * scale}" fill="white" stroke="#d1d5db"/>`,
  ];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      // Neighbours of one colour are one rectangle.
      const colour = colourAt(image, y * width + x);
      let end = x + 1;
      while (end < width && colourAt(image, y * width + end) === colour) end++;
      if (colour !== "white") {
        parts.push(
          `<rect x="${left + x * scale}" y="${top + y * scale}" width="${(end - x) * scale}" height="${scale}" fill="${colour}" shape-rendering="crispEdges"/>`,
        );
      }
      x = end;
    }
  }
  numbers?.forEach((number, i) => {
    const [px, py] = [left + (i % width) * scale, top + Math.floor(i / width) * scale];
    const colour = Math.abs(values[i]) > 0.55 ? "white" : colours.text;
    parts.push(
      `<text x="${px + scale / 2}" y="${py + scale / 2 + 4}" font-size="11" text-anchor="middle" fill="${colour}">${number}</text>`,
    );
  });
  return parts.join("");
}

function colourAt({ values, height, width, palette }: PixelImage, i: number): string {
  if (palette === "rgb") {
    const channels = [0, 1, 2].map((channel) => values[channel * height * width + i]);
    return `rgb(${channels.map((v) => Math.round(255 * Math.max(0, Math.min(1, v)))).join()})`;
  }
  if (Math.abs(values[i]) <= 0.004) return "white";
  return shade(values[i], palette);
}

function shade(value: number, palette: "ink" | "signed" | "heat"): string {
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
  anchor = "start",
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${escaped}</text>`;
}
