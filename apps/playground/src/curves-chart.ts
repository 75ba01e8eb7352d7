// A picture of several curves over one axis, as training runs give them.
import * as Plot from "@observablehq/plot";
import { colours, drawFigure } from "./figure.ts";
import { short } from "./numbers.ts";

/** A line through points. */
interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** What {@link curvesChart} draws. */
export interface CurvesChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
  /** Horizontal lines to compare with. */
  readonly levels?: readonly {
    readonly label: string;
    readonly y: number;
    readonly colour: string;
  }[];
  /** Whether the vertical axis is logarithmic; then the values must be positive. */
  readonly logarithmic?: boolean;
}

/** Colours of curves beside each other. */
export const curveColours = ["#d97706", "#059669", "#2563eb"] as const;

/** The chart as an SVG document. */
export function curvesChart(chart: CurvesChart): string {
  const { title, subtitle, x, y, curves, levels = [], logarithmic = false } = chart;
  const end = Math.max(...curves.flatMap(({ points }) => points.map((point) => point.x)));
  return drawFigure({
    title,
    subtitle,
    legend: [
      ...curves.map(({ label, colour }) => ({ label, colour, mark: "line" }) as const),
      ...levels.map(({ label, colour }) => ({ label, colour, mark: "dashes" }) as const),
    ],
    plots: [
      {
        height: 420,
        x: {
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 38,
          label: x,
          domain: [0, end],
        },
        y: {
          type: logarithmic ? "log" : "linear",
          label: y,
          grid: true,
          nice: true,
          tickFormat: short,
          ...(logarithmic ? { ticks: 5 } : {}),
        },
        marks: [
          ...levels.map((level) =>
            Plot.ruleY([level.y], { stroke: level.colour, strokeDasharray: "5 4" }),
          ),
          ...curves.map(({ colour, points }) =>
            Plot.line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2 }),
          ),
        ],
      },
    ],
  });
}

/** The colour of lines to compare with. */
export const levelColour: string = colours.muted;
