import type { Box } from "./box.ts";
import type { DType } from "./dtype.ts";
import type { ElementOp, ReduceOp } from "./element-op.ts";

/**
 * What a node of the recorded graph is.
 *
 * - `box`: a value that exists, or will: state, an input, a result.
 * - `constant`: a literal, part of the structure. `scalar`: a number given at each run, not part of it.
 * - `iota`: 0, 1, 2, … along its only axis.
 * - views: `reshape`, `permute`, `expand`, `slice`, `pad` (with zeros).
 * - `cat`, `matmul`, the reductions (`reduce:sum`, …), and the element operations, whose inputs broadcast.
 */
export type NodeOp =
  | "box"
  | "constant"
  | "scalar"
  | "iota"
  | "reshape"
  | "permute"
  | "expand"
  | "slice"
  | "pad"
  | "cat"
  | "matmul"
  | `reduce:${ReduceOp}`
  | ElementOp;

const noInputs: readonly Node[] = [];
let created = 0;

/** The number that the next node gets: nodes recorded before have smaller ones. */
export function nextNodeId(): number {
  return created;
}

/**
 * A recorded operation: what, on what, with which result. Its meaning never changes; but once its
 * value exists, `box` holds it, the inputs are let go, and the node is a leaf.
 */
export class Node {
  /** Order of creation: inputs have smaller numbers. */
  readonly id: number = created++;
  readonly op: NodeOp;
  inputs: readonly Node[];
  /**
   * - `permute`, reductions: axes. `slice`: starts, then steps. `pad`: sizes before, then behind.
   * - `constant`: the value. `cat`: the axis. `philox`: the word. Others: none.
   */
  readonly attributes: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Of the structure: the same for graphs that differ only in values. */
  hash: number;

  /** Where the value is, once it exists. */
  box: Box | undefined;
  /** Which version of a state's box this node stands for. */
  version: number;
  /** For a `scalar`: its value at the next run. */
  readonly value: number | (() => number);
  /** Whether another node has this one as an input. */
  consumed: boolean = false;
  /** Whether the value depends on a state, so that it belongs to one moment. */
  dependsOnState: boolean;
  /** Whether the value takes inputs, random numbers or more than a pass over its elements to compute. */
  isSubstantial: boolean;
  /** Used by walks over the graph: in which walk this node was seen, and as which number. */
  mark: number = 0;
  index: number = 0;

  constructor(
    op: NodeOp,
    inputs: readonly Node[],
    attributes: readonly number[],
    shape: readonly number[],
    dtype: DType,
    value: Box | number | (() => number) = 0,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = shape;
    this.dtype = dtype;
    this.box = undefined;
    this.version = 0;
    this.value = 0;
    this.hash = leafHash(op, shape, dtype);
    this.dependsOnState = false;
    this.isSubstantial = op === "philox" || op === "matmul";
    if (typeof value === "object") {
      this.box = value;
      this.version = value.version;
      this.dependsOnState = value.isState;
      this.isSubstantial = true;
    } else {
      this.value = value;
    }
    for (let i = 0; i < attributes.length; i++) this.hash = mix(this.hash, attributes[i] + 0x51);
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      this.hash = mix(this.hash, input.hash);
      input.consumed = true;
      if (input.dependsOnState) this.dependsOnState = true;
      if (input.isSubstantial) this.isSubstantial = true;
    }
  }

  /** Takes the value that was computed, and lets the graph behind it go. */
  settle(box: Box): void {
    this.box = box;
    this.version = box.version;
    this.inputs = noInputs;
    this.dependsOnState = box.isState;
    this.isSubstantial = true;
    this.hash = leafHash("box", this.shape, this.dtype);
  }

  /** How many elements the value has. */
  get numel(): number {
    let count = 1;
    for (let i = 0; i < this.shape.length; i++) count *= this.shape[i];
    return count;
  }
}

function leafHash(op: NodeOp, shape: readonly number[], dtype: DType): number {
  let hash = mix(codeOf(op), dtypeCodes[dtype]);
  for (let i = 0; i < shape.length; i++) hash = mix(hash, shape[i]);
  return hash;
}

const dtypeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  bool: 5,
};

const codes = new Map<string, number>();

function codeOf(op: string): number {
  let code = codes.get(op);
  if (code === undefined) {
    code = codes.size + 17;
    codes.set(op, code);
  }
  return code;
}

function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x9e3779b1);
  h = (h ^ (h >>> 15)) + Math.imul(value, 0x85ebca6b);
  return h | 0;
}
