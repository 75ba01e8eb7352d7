// A picture: a title, a subtitle, a legend, and plots below each other, as one SVG document.
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** The family of all text; browsers without it take their own. */
export const fontFamily = "IBM Plex Sans";

/** The colours of the pictures, on white. */
export const colours = {
  text: "#1f2937",
  muted: "#6b7280",
  samples: "#9ca3af",
  heldOut: "#d97706",
  fit: "#2563eb",
  truth: "#111827",
} as const;

/** One line of a legend. */
interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly mark: "line" | "dashes" | "dot" | "band";
}

/** What {@link drawFigure} draws. */
export interface Figure {
  readonly title: string;
  readonly subtitle: string;
  readonly legend: readonly LegendEntry[];
  readonly plots: readonly Plot.PlotOptions[];
}

const width = 860;
const side = 16;
const header = 96;

/** The figure as an SVG document; each plot takes the height that its options give. */
export function drawFigure(figure: Figure): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  let top = header;
  const panels = figure.plots.map((options) => {
    const height = options.height ?? 300;
    const svg = Plot.plot({
      document,
      width: width - 2 * side,
      marginLeft: 56,
      marginRight: 24,
      marginBottom: 46,
      ...options,
      style: { fontFamily, fontSize: "13px", color: colours.text },
    });
    // The style sheet is for pages with other text around the plot; nothing here needs it.
    for (const style of svg.querySelectorAll("style")) style.remove();
    svg.setAttribute("x", String(side));
    svg.setAttribute("y", String(top));
    top += height;
    return svg.outerHTML;
  });
  const height = top + side;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="${fontFamily}, system-ui, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${side + 8}" y="34" font-size="20" font-weight="600" fill="${colours.text}">${escapeXml(figure.title)}</text>`,
    `<text x="${side + 8}" y="57" font-size="13" fill="${colours.muted}">${escapeXml(figure.subtitle)}</text>`,
    ...legend(figure.legend),
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function legend(entries: readonly LegendEntry[]): string[] {
  let left = side + 8;
  return entries.map(({ label, colour, mark }) => {
    const x = left;
    left += 36 + label.length * 6.8 + 20;
    return (
      `<g transform="translate(${x.toFixed(1)}, 80)">${sample(mark, colour)}` +
      `<text x="34" y="4.5" font-size="13" fill="${colours.text}">${escapeXml(label)}</text></g>`
    );
  });
}

function sample(mark: LegendEntry["mark"], colour: string): string {
  switch (mark) {
    case "line":
      return `<line x2="26" stroke="${colour}" stroke-width="2.5"/>`;
    case "dashes":
      return `<line x2="26" stroke="${colour}" stroke-width="1.5" stroke-dasharray="5 4"/>`;
    case "dot":
      return `<circle cx="13" r="3.5" fill="${colour}"/>`;
    case "band":
      return `<rect y="-6" width="26" height="12" fill="${colour}" fill-opacity="0.18"/>`;
    default:
      return mark satisfies never;
  }
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
