import {
  cat,
  constant,
  type ElementOp,
  elementOps,
  entryOf,
  expand,
  Node,
  type NodeOp,
  reshape,
} from "@gradloom/engine";
import { spliced } from "../shape.ts";

type Numbers = readonly number[];

/** Operations with a rule of their own: all but leaves, which have no inputs, and element operations. */
type Structural = Exclude<NodeOp, ElementOp | Leaf | Loop>;
type Leaf = "box" | "constant" | "scalar" | "iota" | "argument";
type Loop = "loop" | "part";

const shifted = (axes: Numbers) => axes.map((axis) => axis + 1);
const firstShifted = ([axis, ...rest]: Numbers) => [axis + 1, ...rest];
const unchanged = (attributes: Numbers) => attributes;

/** The attributes of an operation once its inputs and its result have another axis in front. */
const attributesOf: Readonly<Record<Structural, (attributes: Numbers, node: Node) => Numbers>> = {
  reshape: unchanged,
  expand: unchanged,
  matmul: unchanged,
  check: unchanged,
  permute: (axes) => [0, ...shifted(axes)],
  slice: (a, { shape: { length } }) => [0, ...a.slice(0, length), 1, ...a.slice(length)],
  pad: (a, { shape: { length } }) => [0, ...a.slice(0, length), 0, ...a.slice(length)],
  affine: (a, { inputs: [x], shape: { length: columns } }) => {
    const rows = x.shape.length;
    const matrix = x.shape.flatMap((_, i) => [
      0,
      ...a.slice(rows + i * columns, rows + (i + 1) * columns),
    ]);
    const first = [1, ...new Array<number>(columns).fill(0)];
    return [0, ...a.slice(0, rows), ...first, ...matrix, a[a.length - 1]];
  },
  cat: firstShifted,
  gather: firstShifted,
  "scatter:sum": firstShifted,
  "scatter:max": firstShifted,
  "scan:sum": firstShifted,
  "scan:prod": firstShifted,
  sort: firstShifted,
  "reduce:sum": shifted,
  "reduce:prod": shifted,
  "reduce:max": shifted,
  "reduce:min": shifted,
  "reduce:argmax": shifted,
  "reduce:argmin": shifted,
};

/**
 * The same operation on `size` examples at once: its result, and those of its inputs that differ between
 * examples, have another axis in front.
 *
 * @param inputs - The inputs of the new node, by those of `node`. At least one is not the same for all examples.
 */
export function batched(node: Node, inputs: readonly Node[], size: number): Node {
  const { op, attributes, shape, dtype } = node;
  const isShared = node.inputs.map((input, i) => input === inputs[i]);
  const make = (others: readonly Node[], sizes: Numbers, numbers = attributes) => {
    return new Node(op, others, numbers, sizes, dtype);
  };
  const full = [size, ...shape];
  if (isElementOp(op) || op === "expand") {
    const aligned = inputs.map((x, i) => (isShared[i] ? x : withNdim(x, full.length)));
    return make(aligned, full);
  }
  const [x, y] = inputs;
  // Groups are others for each example.
  if (op === "matmul" && inputs.length === 3) {
    return eachOf(node, size, (example) =>
      make(
        inputs.map((input, i) => (isShared[i] ? input : entryOf(input, example))),
        shape,
      ),
    );
  }
  if (op === "matmul" && shape.length === 2 && isShared[1]) {
    // One matrix on the right: the examples are just more rows.
    const rows = reshape(x, [size * shape[0], x.shape[2]]);
    return reshape(make([rows, y], [size * shape[0], shape[1]]), full);
  }
  // A loop gives nothing itself; its parts see to it that there is one for each example.
  if (op === "loop") return make(inputs, shape);
  if (op === "part") return partsOf(node, inputs[0], size);
  const all = inputs.map((input, i) => (isShared[i] ? repeated(input, size) : input));
  return make(all, full, attributesOf[op as Structural](attributes, node));
}

/** A result of a loop, which runs once for each example. */
function partsOf(part: Node, all: Node, size: number): Node {
  const { attributes, shape, dtype } = part;
  const [loop] = part.inputs;
  return eachOf(part, size, (example) => {
    const own = all.inputs.map((x, i) => (x === loop.inputs[i] ? x : entryOf(x, example)));
    const one = new Node("loop", own, loop.attributes, loop.shape, loop.dtype);
    return new Node("part", [one], attributes, shape, dtype);
  });
}

/** What cannot be computed for all examples at once: one by one, and put together. */
function eachOf({ shape, dtype }: Node, size: number, make: (example: number) => Node): Node {
  const results = Array.from({ length: size }, (_, example) =>
    reshape(make(example), [1, ...shape]),
  );
  return size === 0 ? expand(constant(0, dtype), [0, ...shape]) : cat(results, 0);
}

function isElementOp(op: NodeOp): op is ElementOp {
  return op in elementOps;
}

/** The same for each example: `[...] -> [size, ...]`. */
export function repeated(x: Node, size: number): Node {
  return expand(x, [size, ...x.shape]);
}

/** Axes of size 1 behind the first, so that the others stay the last ones when shapes broadcast. */
function withNdim(x: Node, ndim: number): Node {
  const missing = ndim - x.shape.length;
  if (missing === 0) return x;
  return reshape(x, spliced(x.shape, 1, 0, ...new Array<number>(missing).fill(1)));
}
