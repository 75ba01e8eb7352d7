import type { DType } from "./dtype.ts";
import type { ReduceOp } from "./element-op.ts";
import { outsideOf } from "./graph.ts";
import { isView, type Node, type NodeOp } from "./node.ts";
import type { PlacedMatrix } from "./operand.ts";
import { remember } from "./remember.ts";
import { sameShape, sizeOf } from "./shape.ts";

/** Where an anchor's elements go, if not to a buffer of its own: a part of a `cat`. */
export interface Placement {
  readonly whole: Value;
  readonly axis: number;
  readonly offset: number;
}

/** A node of the graph being planned: like a {@link Node}, but it may be rewritten. */
export class Value {
  readonly number: number;
  /** `copy` is its input, in a place of its own. */
  readonly op: NodeOp | "copy";
  readonly inputs: readonly Value[];
  readonly attributes: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly numel: number;
  readonly isView: boolean;
  /** Whether it is a value that exists before the plan runs. */
  readonly isLeaf: boolean;
  /** Of a reduction, or of a scan: how it combines. */
  readonly reduceOp: ReduceOp | undefined;
  readonly scanOp: "sum" | "prod" | undefined;
  /** Of a `box` or a `scalar`: which one of the plan's. */
  slot: number = -1;
  consumers: Value[] = [];
  /** Whether somebody wants it after the run. */
  isRoot: boolean = false;
  /** Whether it gets a place of its own, or is computed anew wherever it is used. */
  isAnchor: boolean = false;
  placement: Placement | undefined = undefined;
  /** Of an operand: where it is, if this is the anchor or leaf below its views. */
  matrixBase: Value | undefined = undefined;
  matrix: PlacedMatrix | undefined = undefined;

  constructor(
    number: number,
    op: NodeOp | "copy",
    inputs: readonly Value[],
    attributes: readonly number[],
    shape: readonly number[],
    dtype: DType,
  ) {
    this.number = number;
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = shape;
    this.dtype = dtype;
    this.numel = sizeOf(shape);
    this.isView = isView(op);
    this.isLeaf = op === "box";
    this.reduceOp = op.startsWith("reduce:") ? (op.slice(7) as ReduceOp) : undefined;
    this.scanOp = op.startsWith("scan:") ? (op.slice(5) as "sum" | "prod") : undefined;
    for (const input of inputs) input.consumers.push(this);
  }
}

/** Rows this short, or shorter, are not worth cutting into pieces. */
const longRow = 16384;
/** This many rows, or more, occupy all threads without cutting them. */
const manyRows = 32;
/** Where terms are this many elements apart, each is in another page of memory: few of those can be read in turns. */
const longStride = 256;
const fewTerms = 16;

/** Builds the graph to plan from recorded nodes: equal nodes become one, trivial ones vanish. */
export class ValueGraph {
  readonly values: Value[] = [];
  readonly #known = new Map<string, Value>();
  readonly #split: boolean;

  constructor(split: boolean) {
    this.#split = split;
  }

  /** A leaf: `box` or `scalar` number `slot`. */
  leaf(op: "box" | "scalar", slot: number, shape: readonly number[], dtype: DType): Value {
    const value = this.#new(op, [], [], shape, dtype);
    value.slot = slot;
    return value;
  }

  /** The same elements in another shape. */
  as(value: Value, shape: readonly number[]): Value {
    return this.#reshape(value, shape);
  }

  /** Another place for a value. Never shared. */
  copy(input: Value): Value {
    return this.#new("copy", [input], [], input.shape, input.dtype);
  }

  #new(
    op: Value["op"],
    inputs: readonly Value[],
    attributes: readonly number[],
    shape: readonly number[],
    dtype: DType,
  ): Value {
    const value = new Value(this.values.length, op, inputs, attributes, shape, dtype);
    this.values.push(value);
    return value;
  }

  /**
   * What a recorded operation on these inputs becomes.
   *
   * @param isOnlyUse - Whether nothing else uses the first input.
   */
  add(node: Node, inputs: readonly Value[], isOnlyUse: boolean): Value {
    const { op, attributes, shape, dtype } = node;
    const x = inputs[0];
    if (op === "reshape") return this.#reshape(x, shape);
    if (op === "expand" && sameShape(x.shape, shape)) return x;
    if (op === "permute" && attributes.every((axis, i) => axis === i)) return x;
    if (
      op === "permute" &&
      x.op === "matmul" &&
      x.inputs.length === 2 &&
      isOnlyUse &&
      swapsLast(attributes)
    ) {
      // (a b)ᵀ = bᵀ aᵀ: what is fused to the product then goes along its rows.
      const [b, a] = [x.inputs[1], x.inputs[0]].map((operand) => {
        const turned = attributes.map((axis) => operand.shape[axis]);
        return this.#make("permute", [operand], attributes, turned, dtype);
      });
      return this.#make("matmul", [b, a], [], shape, dtype);
    }
    if (op === "cast" && x.dtype === dtype) return x;
    if (op.startsWith("scan:") && x.shape[attributes[0]] === 1) return x;
    if (op === "sort" && x.shape[attributes[0]] === 1) return this.#fill(0, shape, dtype);
    if (op === "cat") return this.#cat(inputs, attributes[0], shape, dtype);
    if (op === "affine" && x.numel === 0) {
      return this.#fill(outsideOf(attributes), shape, dtype);
    }
    if (op.startsWith("scatter:") && x.numel === 0) return this.#fill(0, shape, dtype);
    if (op === "matmul" && x.shape[x.shape.length - 1] === 0) return this.#fill(0, shape, dtype);
    if (op.startsWith("reduce:")) {
      return this.#reduce(op as `reduce:${ReduceOp}`, x, attributes, shape, dtype);
    }
    return this.#make(op, inputs, attributes, shape, dtype);
  }

  #make(
    op: NodeOp,
    inputs: readonly Value[],
    attributes: readonly number[],
    shape: readonly number[],
    dtype: DType,
  ): Value {
    const key = `${op}|${inputs.map((v) => v.number)}|${attributes}|${shape}|${dtype}`;
    return remember(this.#known, key, () => this.#new(op, inputs, attributes, shape, dtype));
  }

  #reshape(x: Value, shape: readonly number[]): Value {
    const input = x.op === "reshape" ? x.inputs[0] : x;
    if (sameShape(input.shape, shape)) return input;
    return this.#make("reshape", [input], [], shape, x.dtype);
  }

  #fill(value: number, shape: readonly number[], dtype: DType): Value {
    const literal = this.#make("constant", [], [value], [], dtype);
    return shape.length === 0 ? literal : this.#make("expand", [literal], [], shape, dtype);
  }

  #cat(inputs: readonly Value[], axis: number, shape: readonly number[], dtype: DType): Value {
    const parts = inputs.filter((input) => input.numel > 0).map((input) => this.copy(input));
    if (parts.length === 0) return this.#fill(0, shape, dtype);
    const whole = this.#new("cat", parts, [axis], shape, dtype);
    let offset = 0;
    for (const part of parts) {
      part.placement = { whole, axis, offset };
      offset += part.shape[axis];
    }
    return whole;
  }

  #reduce(
    op: `reduce:${ReduceOp}`,
    x: Value,
    axes: readonly number[],
    shape: readonly number[],
    dtype: DType,
  ): Value {
    const row = sizeOf(axes.map((axis) => x.shape[axis]));
    const positions = op === "reduce:argmax" || op === "reduce:argmin";
    if (row === 0) return this.#fill(op === "reduce:prod" ? 1 : 0, shape, dtype);
    if (row === 1) return positions ? this.#fill(0, shape, dtype) : this.#reshape(x, shape);
    const rows = x.numel / row;
    let most = 0;
    if (row >= longRow && rows < manyRows) most = Math.min(256, Math.floor(row / 2048));
    else if (row >= 16 * fewTerms && strideOf(x, axes) >= longStride) most = row / fewTerms;
    if (this.#split && !positions && most > 0) {
      const parts = this.#reduceParts(op, x, axes, most);
      if (parts) return this.#reshape(parts, shape);
    }
    return this.#make(op, [x], axes, shape, dtype);
  }

  /**
   * A long reduction in two steps, so that threads can share it or neighbours in memory are read together: first
   * many partial results, then those. Cut the same way for any number of threads, so the result has the same bits.
   */
  #reduceParts(
    op: `reduce:${ReduceOp}`,
    x: Value,
    axes: readonly number[],
    most: number,
  ): Value | undefined {
    // The outermost reduced axis that offers a good number of parts; neighbours count as one axis.
    const first = axes[0];
    let last = first;
    while (axes.includes(last + 1)) last += 1;
    let size = 1;
    for (let axis = first; axis <= last; axis++) size *= x.shape[axis];
    const parts = divisor(size, Math.floor(most));
    if (parts < 4) return undefined;
    const cut = [...x.shape.slice(0, first), parts, size / parts, ...x.shape.slice(last + 1)];
    const shift = first + 2 - (last + 1);
    const rest = axes.filter((axis) => axis > last).map((axis) => axis + shift);
    const partial = this.#reduceNow(op, this.#reshape(x, cut), [first + 1, ...rest]);
    return this.#reduceNow(op, partial, [first]);
  }

  #reduceNow(op: `reduce:${ReduceOp}`, x: Value, axes: readonly number[]): Value {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    return this.#make(op, [x], axes, shape, x.dtype);
  }
}

/** How many elements the terms of a reduction are apart, at least: the size of what is behind the reduced axes. */
function strideOf(x: Value, axes: readonly number[]): number {
  if (x.op === "permute") return 1;
  return sizeOf(x.shape.slice(axes[axes.length - 1] + 1));
}

/** Whether a permutation swaps the last two axes and no others. */
function swapsLast(axes: readonly number[]): boolean {
  const { length } = axes;
  return axes[length - 1] === length - 2 && axes.every((axis, i) => axis === i || i >= length - 2);
}

/** The greatest divisor of `size` that is at most `limit`. */
function divisor(size: number, limit: number): number {
  for (let d = limit; d > 1; d--) if (size % d === 0) return d;
  return 1;
}
