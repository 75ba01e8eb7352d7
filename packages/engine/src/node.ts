import type { Box } from "./box.ts";
import type { DType } from "./dtype.ts";
import type { ElementOp, ReduceOp } from "./element-op.ts";

/**
 * What a node of the recorded graph is.
 *
 * - `box`: a value that exists, or will: state, an input, a result.
 * - `constant`: a literal, part of the structure. `scalar`: a number given at each run, not part of it.
 * - `iota`: 0, 1, 2, … along its only axis.
 * - views: `reshape`, `permute`, `expand`, `slice`, `pad` (with zeros), `affine`.
 * - `check` of indices, `gather` and `scatter` with them, `scan` (cumulative sums), `sort`.
 * - `loop`: a graph that is repeated; `part`: one of its results; `argument`: inside of it, a value from outside.
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
  | "affine"
  | "check"
  | "gather"
  | `scatter:${"sum" | "max"}`
  | `scan:${"sum" | "prod"}`
  | "sort"
  | "argument"
  | "loop"
  | "part"
  | "cat"
  | "matmul"
  | `reduce:${ReduceOp}`
  | ElementOp;

const substantial: ReadonlySet<string> = new Set([
  "philox",
  "matmul",
  "sort",
  "loop",
  "scan:sum",
  "scan:prod",
  "scatter:sum",
  "scatter:max",
]);
const views: ReadonlySet<string> = new Set([
  "reshape",
  "permute",
  "expand",
  "slice",
  "pad",
  "affine",
]);

/** Whether an operation only looks at its input in a different way. */
export function isView(op: NodeOp | "copy"): boolean {
  return views.has(op);
}

/** Of a leaf. */
export const noInputs: readonly Node[] = [];
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
   * - `affine`: offsets, then the matrix by rows. `check`: the size, then the number of the operation's name.
   * - `gather`: the axis. `scatter`: the axis, then its size. `scan`: the axis. `sort`: the axis, then 1 for descending.
   * - `loop`: the body, how often, numbers of carried values and of elements, 1 for in reverse. `part`, `argument`: which one.
   * - `matmul` of groups, whose third input are their bounds: 0 if they are of rows, 1 if of terms.
   * - `constant`: the value. `cat`: the axis. `philox`: the word. Others: none.
   */
  readonly attributes: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Where the value is, once it exists. */
  box: Box | undefined;
  /** Which version of a state's box this node stands for. */
  version: number;
  /** For a `scalar`: its value at the next run. */
  readonly value: number | (() => number);
  /** Whether another node has this one as an input; since it was settled, once it is. */
  consumed: boolean = false;
  /** Whether somebody may read it later although something consumes it: a scalar, such as a term of a loss, or predictions. */
  isHeld: boolean = false;
  /** Whether the value depends on a state, so that it belongs to one moment. */
  dependsOnState: boolean;
  /** Whether the value takes inputs, random numbers or more than a pass over its elements to compute. */
  isSubstantial: boolean;
  /** Whether a plan that was profiled has computed it. */
  isComputed: boolean = false;
  /** Since when something uses it that was recorded after a settling which left it out: a number of a node. */
  reused: number = 0;
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
    this.dependsOnState = false;
    this.isSubstantial = false;
    if (typeof value === "object") {
      this.box = value;
      this.version = value.version;
      this.dependsOnState = value.isState;
      this.isSubstantial = true;
    } else {
      this.value = value;
    }
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      input.consumed = true;
      if (input.dependsOnState) this.dependsOnState = true;
      if (input.isSubstantial) this.isSubstantial = true;
    }
    if (inputs.length > 0 && !this.isSubstantial) this.isSubstantial = substantial.has(op);
  }

  /** Takes the value that was computed, and lets the graph behind it go. */
  settle(box: Box): void {
    this.box = box;
    this.version = box.version;
    this.inputs = noInputs;
    this.consumed = false;
    this.dependsOnState = box.isState;
    this.isSubstantial = true;
  }

  /** How many elements the value has. */
  get numel(): number {
    let count = 1;
    for (let i = 0; i < this.shape.length; i++) count *= this.shape[i];
    return count;
  }
}
