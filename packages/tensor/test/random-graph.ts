import {
  type Box,
  broadcastShapes,
  cat,
  constant,
  type DType,
  type ElementOp,
  type Engine,
  element,
  expand,
  iota,
  matmul,
  type Node,
  pad,
  permute,
  type ReduceOp,
  reduce,
  reshape,
  scalar,
  slice,
} from "@gradloom/engine";
import * as fc from "fast-check";
import { indexing } from "./random-graph-indexing.ts";

/** One operation of a random graph: numbers that are brought into range wherever they are used. */
export interface Step {
  readonly kind: number;
  /** Which of the nodes so far. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Axes, sizes, positions. */
  readonly p: readonly number[];
}

/** Programs that any engine can carry out. */
export const programs: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.nat(99),
    a: fc.nat(99),
    b: fc.nat(99),
    c: fc.nat(99),
    p: fc.array(fc.nat(99), { minLength: 6, maxLength: 6 }),
  }),
  { minLength: 3, maxLength: 24 },
);

/** What {@link RandomGraph} takes. */
export interface RandomGraphOptions {
  /** Makes the first tensors longer along each axis. Default: 1. */
  readonly size?: number;
  /** Lets the program have states, and settle: called with what is asked for then. */
  readonly onRealize?: (nodes: readonly Node[]) => void;
}

const integerOps: readonly ElementOp[] = ["add", "sub", "mul", "max", "min", "and", "or", "xor"];
const floatOps: readonly ElementOp[] = ["add", "sub", "mul", "max", "min"];
const comparisons: readonly ElementOp[] = ["lt", "le", "eq", "ne"];
const reductions: readonly ReduceOp[] = ["sum", "max", "min", "sum", "argmax", "argmin", "prod"];

/**
 * Records a random graph. All of it is of the given dtype, except for conditions. In int32 everything is exact.
 * In floating point it is made of operations that are continuous and keep values small, so that rounding
 * differently changes little.
 */
export class RandomGraph {
  /** All that was recorded, apart from what merely led to it. */
  readonly nodes: Node[] = [];
  readonly states: Box[] = [];
  /** What states start as: by their first nodes, the nodes that they were made of. */
  readonly initial: Map<Node, Node> = new Map();
  private readonly engine: Engine;
  readonly dtype: DType;
  private readonly maxElements: number;
  private readonly onRealize: (nodes: readonly Node[]) => void;
  /** What may be used: nodes, and states as they are at that time. */
  private usable: (() => Node)[] = [];
  /** Upper bounds of magnitudes. */
  private readonly bounds = new Map<Node, number>();

  constructor(
    engine: Engine,
    dtype: DType,
    program: readonly Step[],
    { size = 1, onRealize }: RandomGraphOptions = {},
  ) {
    this.engine = engine;
    this.dtype = dtype;
    this.onRealize = onRealize ?? (() => {});
    this.maxElements = 600 * size ** 3;
    const leaves = [[3, 4], [4], [2, 3, 4]].map((shape, i) => {
      return this.leaf(
        shape.map((n) => n * size),
        i + 1,
      );
    });
    const possible = onRealize === undefined ? actions : [...actions, ...statefulActions];
    if (onRealize !== undefined) {
      for (const leaf of leaves.slice(0, 2)) {
        const state = engine.state(leaf);
        this.states.push(state);
        this.initial.set(state.node, leaf);
        this.usable.push(() => state.node);
      }
    }
    for (const step of program) {
      possible[step.kind % possible.length].call(this, step, this.pick(step.a));
    }
  }

  get isFloat(): boolean {
    return this.dtype !== "int32";
  }

  private leaf(shape: readonly number[], seed: number): Node {
    const length = shape.reduce((a, b) => a * b, 1);
    const value = (i: number) => ((i * 37 + seed * 11) % 19) - 9;
    const data =
      this.dtype === "int32"
        ? Int32Array.from({ length }, (_, i) => value(i))
        : this.dtype === "float32"
          ? Float32Array.from({ length }, (_, i) => value(i) / 7)
          : Float64Array.from({ length }, (_, i) => value(i) / 7);
    return this.keep(this.engine.input(data, shape, this.dtype), 2);
  }

  /** Adds a node; in floating point one that is too large is squeezed into (-1, 1) first. */
  keep(node: Node, bound: number): Node {
    const large = this.isFloat && bound > 100;
    const kept = large ? element("tanh", [node], this.dtype) : node;
    this.bounds.set(kept, large ? 1 : bound);
    this.engine.track(kept);
    this.nodes.push(kept);
    this.usable.push(() => kept);
    return kept;
  }

  fits(shape: readonly number[]): boolean {
    return shape.length <= 5 && shape.reduce((a, b) => a * b, 1) <= this.maxElements;
  }

  bound(node: Node): number {
    return this.bounds.get(node) ?? 1;
  }

  private pick(i: number): Node {
    return this.usable[i % this.usable.length]();
  }

  choice(step: Step, a: Node): void {
    const condition = element(
      comparisons[step.p[1] % 4],
      this.isFloat ? this.counters(a, step) : [a, this.fitting(step.b, a)],
      "bool",
    );
    // In int32 the condition has all axes, in floating point the other.
    const other = this.fitting(step.c, this.isFloat ? a : condition);
    const bound = Math.max(this.bound(a), this.bound(other));
    this.keep(element("where", [condition, a, other], this.dtype), bound);
  }

  reshaping(step: Step, a: Node): void {
    const { numel } = a;
    const divisors = [1, 2, 3, 4, 6, 8].filter((size) => numel % size === 0);
    const size = divisors[step.p[0] % divisors.length];
    this.keep(reshape(a, step.p[1] % 3 === 0 ? [numel] : [size, numel / size]), this.bound(a));
  }

  permutation(step: Step, a: Node): void {
    const axes = a.shape.map((_, axis) => axis);
    axes.sort((i, j) => step.p[i] - step.p[j] || i - j);
    this.keep(permute(a, axes), this.bound(a));
  }

  repetition(step: Step, a: Node): void {
    const sizes = a.shape.map((size) => (size === 1 ? 1 + (step.p[1] % 4) : size));
    const shape = [1 + (step.p[0] % 3), ...sizes];
    if (this.fits(shape)) this.keep(expand(a, shape), this.bound(a));
  }

  padding(step: Step, a: Node): void {
    const before = a.shape.map((_, axis) => step.p[axis % 3] % 3);
    const behind = a.shape.map((_, axis) => step.p[3 + (axis % 3)] % 2);
    const node = pad(a, before, behind);
    if (this.fits(node.shape)) this.keep(node, this.bound(a));
  }

  joining(step: Step, a: Node): void {
    if (a.shape.length === 0) return;
    const axis = step.p[0] % a.shape.length;
    const others = [step.b, step.c].map((i) => this.pick(i));
    const parts = [a, ...others.filter((other) => joins(a, other, axis))];
    const node = cat(parts, axis);
    if (this.fits(node.shape)) this.keep(node, Math.max(...parts.map((part) => this.bound(part))));
  }

  /** The node, or some element of it if it does not broadcast with `x`. */
  private fitting(index: number, x: Node): Node {
    const node = this.pick(index);
    const shape = broadcastShapes([x.shape, node.shape]);
    if (shape !== undefined && this.fits(shape)) return node;
    return this.scalarOf(index);
  }

  /** Some element of some node. */
  scalarOf(index: number): Node {
    const node = this.pick(index);
    if (node.numel === 0) return constant(1, this.dtype);
    const vector = reshape(node, [node.numel]);
    return reshape(slice(vector, [index % node.numel], [1], [1]), []);
  }

  binary(step: Step, a: Node): void {
    const ops = this.isFloat ? floatOps : integerOps;
    const op = ops[step.p[0] % ops.length];
    const b = this.fitting(step.b, a);
    const [x, y] = [this.bound(a), this.bound(b)];
    this.keep(element(op, [a, b], this.dtype), op === "mul" ? x * y : x + y);
  }

  unary(step: Step, a: Node): void {
    if (!this.isFloat) {
      this.keep(element(step.p[0] % 2 === 0 ? "neg" : "abs", [a], this.dtype), 1);
      return;
    }
    const op = (["neg", "abs", "tanh", "sin", "exp"] as const)[step.p[0] % 5];
    // e^x of something that is at most 1.
    const input = op === "exp" ? element("min", [a, constant(1, this.dtype)], this.dtype) : a;
    const bound = op === "neg" || op === "abs" ? this.bound(a) : 3;
    this.keep(element(op, [input], this.dtype), bound);
  }

  /** Two int32 nodes to compare, so that no comparison hangs on rounding. */
  private counters(a: Node, step: Step): readonly Node[] {
    const { shape } = a;
    const size = shape.length === 0 ? 1 : shape[shape.length - 1];
    return [reshape(iota(size), shape.length === 0 ? [] : [size]), scalar(step.p[2] % 5, "int32")];
  }

  cut(step: Step, a: Node): void {
    const starts: number[] = [];
    const steps: number[] = [];
    const shape = a.shape.map((size, axis) => {
      const stride = 1 + (step.p[axis % 6] % 3);
      const backwards = step.p[(axis + 1) % 6] % 3 === 0;
      const offset = size === 0 ? 0 : step.p[(axis + 2) % 6] % Math.min(size, 3);
      const length = Math.max(0, Math.ceil((size - offset) / stride));
      starts.push(backwards && length > 0 ? size - 1 - offset : offset);
      steps.push(backwards ? -stride : stride);
      return length;
    });
    this.keep(this.engine.slice(a, starts, steps, shape), this.bound(a));
  }

  reduction(step: Step, a: Node): void {
    const axes = a.shape.flatMap((_, axis) => (step.p[axis % 6] % 2 === 0 ? [axis] : []));
    if (axes.length === 0) return;
    const count = axes.reduce((product, axis) => product * a.shape[axis], 1);
    // Which element is the largest may hang on rounding.
    const allowed = this.isFloat ? reductions.slice(0, 4) : reductions;
    const op = allowed[step.c % allowed.length];
    if (op !== "sum" && op !== "prod" && count === 0) return;
    const node = reduce(op, a, axes);
    const kept = a.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const bound = op === "sum" ? this.bound(a) * Math.max(1, count) : this.bound(a);
    this.keep(step.p[5] % 2 === 0 ? node : reshape(node, kept), bound);
  }

  product(step: Step, a: Node): void {
    const other = this.pick(step.b);
    const left = matrix(a);
    const right = matrix(other);
    const inner = Math.min(left.shape[1], right.shape[0]);
    const x = slice(left, [0, 0], [1, 1], [left.shape[0], inner]);
    const y = slice(right, [0, 0], [1, 1], [inner, right.shape[1]]);
    if (!this.fits([x.shape[0], y.shape[1]])) return;
    const bound = this.bound(a) * this.bound(other) * Math.max(1, inner);
    if (step.p[0] % 2 === 0) {
      this.keep(matmul(x, y), bound);
      return;
    }
    // Transposed, in a batch of two.
    const batch = (node: Node) => expand(reshape(node, [1, ...node.shape]), [2, ...node.shape]);
    const node = matmul(batch(permute(y, [1, 0])), batch(permute(x, [1, 0])));
    if (this.fits(node.shape)) this.keep(node, bound);
  }

  /** A row pattern: in int32 something of the same form. */
  softmax(step: Step, a: Node): void {
    const { shape, dtype } = a;
    if (shape.length === 0 || a.numel === 0) return;
    const axis = step.p[0] % 3 === 0 ? 0 : shape.length - 1;
    const kept = shape.map((size, i) => (i === axis ? 1 : size));
    const along = (op: ReduceOp, x: Node) => reshape(reduce(op, x, [axis]), kept);
    const shifted = element("sub", [a, along("max", a)], dtype);
    if (!this.isFloat) {
      this.keep(element("sub", [shifted, along("sum", shifted)], dtype), 1);
      return;
    }
    const e = element("exp", [shifted], dtype);
    this.keep(element("div", [e, along("sum", e)], dtype), 1);
  }

  /** Records that a state takes a value that depends on it. */
  assignment(step: Step): void {
    const state = this.states[step.b % this.states.length];
    const old = state.node;
    const other = this.fitting(step.a, old);
    if (`${broadcastShapes([old.shape, other.shape])}` !== `${old.shape}`) return;
    const sum = element(step.p[0] % 2 === 0 ? "add" : "sub", [other, old], this.dtype);
    const value = this.isFloat ? element("tanh", [sum], this.dtype) : sum;
    this.engine.assign(state, value);
  }

  /** Settles, and forgets what may be out of date from then on. */
  settling(step: Step): void {
    const wanted = this.nodes.filter((_, i) => step.p[i % step.p.length] % 2 === 0);
    this.onRealize(wanted);
    this.usable = [
      ...this.states.map((state) => () => state.node),
      ...wanted.map((node) => () => node),
    ];
  }

  source(step: Step): void {
    const value = (step.p[0] % 9) - 4;
    switch (step.p[1] % 4) {
      case 0:
        this.keep(constant(value, this.dtype), 4);
        return;
      case 1:
        this.keep(scalar(value, this.dtype), 4);
        return;
      case 2: {
        const count = iota(1 + (step.p[2] % 7));
        this.keep(this.isFloat ? element("cast", [count], this.dtype) : count, 7);
        return;
      }
      default:
        this.leaf([1 + (step.p[2] % 4), 1 + (step.p[3] % 5)], step.p[4]);
    }
  }
}

const { prototype } = RandomGraph;

/** What a step may be; some more often than others. */
const actions: readonly ((this: RandomGraph, step: Step, a: Node) => void)[] = [
  prototype.binary,
  prototype.binary,
  prototype.binary,
  prototype.unary,
  prototype.choice,
  prototype.reshaping,
  prototype.permutation,
  prototype.repetition,
  prototype.cut,
  prototype.padding,
  prototype.joining,
  prototype.reduction,
  prototype.reduction,
  prototype.product,
  prototype.softmax,
  prototype.source,
  ...indexing.map(
    (action) =>
      function (this: RandomGraph, step: Step, a: Node) {
        action(this, step, a);
      },
  ),
];

const statefulActions: typeof actions = [
  prototype.assignment,
  prototype.assignment,
  prototype.assignment,
  prototype.settling,
];

function joins(a: Node, b: Node, axis: number): boolean {
  return (
    a.shape.length === b.shape.length &&
    a.shape.every((size, i) => i === axis || size === b.shape[i])
  );
}

/** Any node as a matrix: all axes but the last are rows. */
function matrix(node: Node): Node {
  const columns = node.shape.length === 0 ? 1 : node.shape[node.shape.length - 1];
  const rows = columns === 0 ? 0 : node.numel / columns;
  return reshape(node, [rows, columns]);
}
