import {
  affine,
  check,
  constant,
  type DType,
  element,
  gather,
  iota,
  type Node,
  reshape,
  scan,
  scatter,
  sort,
} from "@gradloom/engine";
import type { RandomGraph, Step } from "./random-graph.ts";

type Action = (graph: RandomGraph, step: Step, a: Node) => void;

/** Indices below `size`, of the given shape: of a node in int32, else made of their own positions. */
function indicesBelow(
  graph: RandomGraph,
  step: Step,
  shape: readonly number[],
  size: number,
): Node {
  const count = shape.reduce((product, length) => product * length, 1);
  const position = reshape(iota(count), [...shape]);
  const scaled = by("mul", position, 1 + (step.p[3] % 7));
  const moved = graph.isFloat
    ? by("add", scaled, step.p[4] % 5)
    : element("add", [scaled, graph.scalarOf(step.b)], "int32");
  const index = by("mod", moved, Math.max(1, size));
  return step.p[5] % 2 === 0 ? index : check(index, size, "gather");
}

function by(op: "add" | "mul" | "mod" | "and" | "floorDiv", a: Node, b: number): Node {
  return element(op, [a, constant(b, a.dtype)], a.dtype);
}

function axisOf(step: Step, a: Node): number {
  return step.p[0] % a.shape.length;
}

function resized(a: Node, axis: number, size: number): readonly number[] {
  return a.shape.map((length, i) => (i === axis ? size : length));
}

const gathering: Action = (graph, step, a) => {
  if (a.shape.length === 0 || a.numel === 0) return;
  const axis = axisOf(step, a);
  const shape = resized(a, axis, 1 + (step.p[1] % 7));
  if (!graph.fits(shape)) return;
  const index = indicesBelow(graph, step, shape, a.shape[axis]);
  graph.keep(gather(a, index, axis), graph.bound(a));
};

const scattering: Action = (graph, step, a) => {
  if (a.shape.length === 0) return;
  const axis = axisOf(step, a);
  const size = 1 + (step.p[1] % 6);
  if (!graph.fits(resized(a, axis, size))) return;
  const combine = step.p[2] % 2 === 0 ? "sum" : "max";
  const index = indicesBelow(graph, step, a.shape, size);
  const node = scatter(combine, a, index, axis, size);
  graph.keep(node, graph.bound(a) * (combine === "sum" ? Math.max(1, a.shape[axis]) : 1));
};

const scanning: Action = (graph, step, a) => {
  if (a.shape.length === 0) return;
  const axis = axisOf(step, a);
  const op = graph.isFloat || step.p[1] % 2 === 0 ? "sum" : "prod";
  graph.keep(scan(op, a, axis), graph.bound(a) * Math.max(1, a.shape[axis]));
};

/** In int32: in floating point, the order of what is nearly equal would hang on rounding. */
const sorting: Action = (graph, step, a) => {
  if (a.shape.length === 0 || a.numel === 0 || graph.isFloat) return;
  const axis = axisOf(step, a);
  const count = 1 + (step.p[1] % a.shape[axis]);
  const order = sort(a, axis, count, step.p[2] % 2 === 0);
  graph.keep(step.p[3] % 2 === 0 ? order : gather(a, order, axis), graph.bound(a));
};

/** Windows with random strides, dilations and offsets, which may reach outside. */
const windows: Action = (graph, step, a) => {
  if (a.shape.length === 0) return;
  const columns = 1 + (step.p[0] % 3);
  const shape = Array.from({ length: columns }, (_, i) => 1 + (step.p[1 + i] % 5));
  if (!graph.fits(shape)) return;
  const matrix = a.shape.map((_, row) => {
    return shape.map((_, column) => (step.p[(row + 2 * column) % 6] + row + column) % 4);
  });
  const offsets = a.shape.map((_, row) => (step.p[(row + 3) % 6] % 4) - 2);
  graph.keep(affine(a, offsets, matrix, shape), graph.bound(a));
};

/** There and back through another dtype, with something done there. */
const conversion: Action = (graph, step, a) => {
  const { dtype } = graph;
  const through = graph.isFloat ? floats : integers;
  const other = through[step.p[0] % through.length];
  const there = element("cast", [a], other);
  const done = other === "bool" ? element("not", [there], other) : by("add", there, 3);
  const back = element("cast", [done], dtype);
  graph.keep(back, graph.bound(a) + 3);
};
const floats: readonly DType[] = ["float64", "float32"];
const integers: readonly DType[] = ["uint8", "bool", "float64"];

/** Rounded down, also of negative numbers. */
const division: Action = (graph, step, a) => {
  if (graph.isFloat) return;
  const divisor = (step.p[0] % 11) - 5;
  graph.keep(by(step.p[1] % 2 === 0 ? "floorDiv" : "mod", a, divisor === 0 ? 6 : divisor), 1);
};

/** Actions of random graphs beside those of {@link RandomGraph}. */
export const indexing: readonly Action[] = [
  gathering,
  scattering,
  scanning,
  sorting,
  windows,
  conversion,
  division,
];
