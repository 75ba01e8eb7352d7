// Small plots made of characters, for a terminal of 80 columns.
import { plot } from "asciichart";
import { short } from "./numbers.ts";

const columns = 64;
const gutter = 9;

/** What {@link terminalPlot} draws. */
export interface TerminalPlot {
  readonly title: string;
  /** Values at evenly spaced places of the horizontal axis. */
  readonly values: ArrayLike<number>;
  /** What stands below the left end, the middle and the right end. */
  readonly labels: readonly [string, string, string];
  readonly height: number;
  /** Whether the vertical axis is logarithmic; then the values must be positive. */
  readonly logarithmic?: boolean;
}

/** The plot as lines of text. */
export function terminalPlot(options: TerminalPlot): string {
  const { title, values, labels, height, logarithmic = false } = options;
  const series = resample(values, columns).map((value) =>
    logarithmic ? Math.log10(value) : value,
  );
  const lines = plot(series, {
    height,
    format: (value) => short(logarithmic ? 10 ** value : value).padStart(gutter - 1),
  });
  const [left, middle, right] = labels;
  const half = columns / 2;
  const below =
    left.padEnd(half - Math.ceil(middle.length / 2)) +
    middle.padEnd(half - right.length + Math.ceil(middle.length / 2)) +
    right;
  const indent = " ".repeat(gutter);
  return `${indent}${title}\n${lines.replace(/ +$/gm, "")}\n${indent} ${below}`;
}

/** `count` values from the first to the last, those between by linear interpolation. */
export function resample(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const place = (i / (count - 1)) * (values.length - 1);
    const before = Math.floor(place);
    const after = Math.min(before + 1, values.length - 1);
    return values[before] + (values[after] - values[before]) * (place - before);
  });
}
