import type { Box } from "./box.ts";
import type { DType } from "./dtype.ts";
import { StateError } from "./errors.ts";
import type { Node } from "./node.ts";

const dtypes: Readonly<Record<DType, number>> = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  bool: 5,
};

const opNumbers = new Map<string, number>();

function opNumber(op: string): number {
  let number = opNumbers.get(op);
  if (number === undefined) {
    number = opNumbers.size;
    opNumbers.set(op, number);
  }
  return number;
}

let walks = 0;
/** Where signatures are written: one is needed at a time, so all walks share it. */
let paper = new Float64Array(4096);

/** What to compute: nodes whose values are wanted, and states with the nodes that they become. */
export interface Goal {
  readonly outputs: readonly Node[];
  readonly states: readonly { readonly box: Box; readonly value: Node }[];
}

/**
 * A graph written down in one line: every node once, inputs first, and a *signature*, a list of numbers that
 * is equal for two graphs just if they have the same structure. Boxes and scalars are numbered in
 * the order in which they are met ("slots").
 */
export class Walk {
  readonly order: Node[] = [];
  readonly boxes: Box[] = [];
  readonly scalars: Node[] = [];
  /** Values that outlived the last settling, and are used again. */
  readonly old: Node[] = [];
  private readonly horizon: number;
  private length = 0;
  /** Of the structure; the same for equal signatures. */
  hash: number = 0;

  /**
   * @param horizon - Nodes with smaller numbers were there when something was last settled.
   * @throws StateError if a node stands for a state that has changed since.
   */
  constructor(goal: Goal, horizon: number) {
    walks += 1;
    this.horizon = horizon;
    for (const node of goal.outputs) this.visit(node);
    for (const { value } of goal.states) this.visit(value);
    this.write(-1);
    for (const node of goal.outputs) this.write(node.index);
    this.write(-2);
    for (const { box, value } of goal.states) {
      this.write(this.slotOf(box));
      this.write(value.index);
    }
  }

  /** Whether the structure is the one with this signature. Only until the next walk. */
  matches(signature: Float64Array): boolean {
    if (signature.length !== this.length) return false;
    for (let i = 0; i < signature.length; i++) {
      if (paper[i] !== signature[i] && !Number.isNaN(paper[i])) return false;
    }
    return true;
  }

  /** A copy of the signature. Only until the next walk. */
  signature(): Float64Array {
    return paper.slice(0, this.length);
  }

  private visit(root: Node): void {
    if (root.mark === walks) return;
    const stack = [root];
    const next = [0];
    root.mark = walks;
    for (let top = 0; top >= 0; ) {
      const node = stack[top];
      const { inputs } = node;
      let i = next[top];
      while (i < inputs.length && inputs[i].mark === walks) i++;
      if (i < inputs.length) {
        const input = inputs[i];
        next[top] = i + 1;
        top += 1;
        stack[top] = input;
        next[top] = 0;
        input.mark = walks;
      } else {
        this.note(node);
        top -= 1;
      }
    }
  }

  private note(node: Node): void {
    const { shape, attributes, inputs, box } = node;
    node.index = this.order.push(node) - 1;
    if (box !== undefined && node.version !== box.version) throw staleness(node, box);
    const op = opNumber(box === undefined ? node.op : "box");
    this.write(op * 256 + shape.length * 8 + dtypes[node.dtype]);
    for (let i = 0; i < shape.length; i++) this.write(shape[i]);
    if (box !== undefined) this.write(this.slotOf(box));
    else if (node.op === "scalar") this.write(this.scalars.push(node) - 1);
    else {
      this.write(attributes.length);
      for (let i = 0; i < attributes.length; i++) {
        this.write(attributes[i]);
        if (attributes[i] === 0) this.write(1 / attributes[i]);
      }
      const isNew = node.id >= this.horizon;
      for (let i = 0; i < inputs.length; i++) {
        this.write(inputs[i].index);
        if (isNew && inputs[i].id < this.horizon) this.noteOld(inputs[i]);
      }
    }
  }

  private noteOld(node: Node): void {
    if (node.box === undefined && node.isSubstantial && !node.dependsOnState) this.old.push(node);
  }

  private slotOf(box: Box): number {
    if (box.mark !== walks) {
      box.mark = walks;
      box.slot = this.boxes.push(box) - 1;
    }
    return box.slot;
  }

  private write(number: number): void {
    if (this.length === paper.length) grow(this.length + 1);
    paper[this.length++] = number;
    const mixed = Math.imul(this.hash ^ number, 0x9e3779b1);
    this.hash = mixed ^ (mixed >>> 15);
  }
}

function grow(needed: number): void {
  const larger = new Float64Array(Math.max(needed, paper.length * 2));
  larger.set(paper);
  paper = larger;
}

/** The error for a node whose state has moved on. */
export function staleness(node: Node, box: Box): StateError {
  return new StateError(
    `realize: a recorded tensor of shape [${node.shape.join(", ")}] depends on ${box.name}, which has changed ` +
      "since it was recorded. Read the tensor before the change (before optimizer.step() or " +
      "assign()), or pass it to realize() then.",
    { op: "realize" },
  );
}
