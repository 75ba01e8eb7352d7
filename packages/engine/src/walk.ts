import type { Box } from "./box.ts";
import { type StateError, stateError } from "./errors.ts";
import type { Node } from "./node.ts";

/** Views that read their input with other strides. */
const strided: ReadonlySet<string> = new Set(["permute", "expand", "slice", "affine"]);
let walks = 0;
/** Where numbers are written: one signature is needed at a time, so all walks share it. */
let paper = new Int32Array(4096);
/** What the nodes do, each with its dtype, likewise. */
const operations: string[] = [];

/** What to compute: nodes whose values are wanted, and states with the nodes that they become. */
export interface Goal {
  readonly outputs: readonly Node[];
  readonly states: readonly { readonly box: Box; readonly value: Node }[];
}

/** A structure written down: equal for two graphs just if these are. */
export interface Signature {
  readonly operations: readonly string[];
  readonly numbers: Int32Array;
  readonly literals: readonly number[];
}

/**
 * A graph written down in one line: every node once, inputs first, and the *signature* of its structure. Boxes
 * and scalars are numbered in the order in which they are met ("slots").
 */
export class Walk {
  /** What to compute: what was asked for, and the scalars on the way there that somebody may read later. */
  readonly goal: Goal;
  readonly order: Node[] = [];
  readonly boxes: Box[] = [];
  readonly scalars: Node[] = [];
  /** Values that outlived the last settling, and are used again: a normalized data set, say. They are likely to be used in each step. */
  readonly old: Node[] = [];
  /** What is computed anyway, and kept for those who may read it later. */
  readonly held: readonly Node[];
  readonly #candidates: Node[] = [];
  /** Like `old`, but they depend on a state. */
  readonly #oldOfStates: Node[] = [];
  /** Whether an earlier walk has reached below such a one already. */
  #isRepeating = false;
  private readonly horizon: number;
  private readonly literals: number[] = [];
  /** The path from a root to the node being visited, and which input of each is next. */
  private readonly path: Node[] = [];
  private readonly nextInput: number[] = [];
  private length = 0;

  /**
   * @param horizon - Nodes with smaller numbers were there when something was last settled.
   * @throws StateError if a node stands for a state that has changed since.
   */
  constructor({ outputs, states }: Goal, horizon: number) {
    walks += 1;
    this.horizon = horizon;
    for (const node of outputs) this.#visit(node);
    for (const { value } of states) this.#visit(value);
    if (this.#isRepeating) this.old.push(...this.#oldOfStates);
    // Those that get a value anyway.
    for (const node of outputs) node.mark = 0;
    for (const { value } of states) value.mark = 0;
    this.held = this.#candidates.filter(({ mark }) => mark === walks);
    this.goal = { outputs: this.held.length === 0 ? outputs : [...outputs, ...this.held], states };
    this.#write(-1);
    for (const node of this.goal.outputs) this.#write(node.index);
    this.#write(-2);
    for (const { box, value } of states) {
      this.#write(this.#slotOf(box));
      this.#write(value.index);
    }
  }

  /** Of the structure; the same for equal signatures. Only until the next walk. */
  get hash(): number {
    const words = paper;
    let hash = 0;
    for (let i = 0; i < this.length; i++)
      hash = Math.imul(hash ^ words[i], 0x9e3779b1) ^ (hash >>> 15);
    return hash;
  }

  /** Whether the structure is the one with this signature. Only until the next walk. */
  matches({ operations: known, numbers, literals }: Signature): boolean {
    if (numbers.length !== this.length || literals.length !== this.literals.length) return false;
    if (known.length !== 2 * this.order.length) return false;
    const words = paper;
    for (let i = 0; i < numbers.length; i++) if (words[i] !== numbers[i]) return false;
    for (let i = 0; i < known.length; i++) if (known[i] !== operations[i]) return false;
    for (let i = 0; i < literals.length; i++)
      if (!Object.is(literals[i], this.literals[i])) return false;
    return true;
  }

  /** The signature. Only until the next walk. */
  signature(): Signature {
    const { length, order, literals } = this;
    const numbers = paper.slice(0, length);
    return { operations: operations.slice(0, 2 * order.length), numbers, literals };
  }

  #visit(root: Node): void {
    if (root.mark === walks) return;
    const { path, nextInput } = this;
    path[0] = root;
    nextInput[0] = 0;
    root.mark = walks;
    for (let top = 0; top >= 0; ) {
      const node = path[top];
      const { inputs } = node;
      let i = nextInput[top];
      while (i < inputs.length && inputs[i].mark === walks) i++;
      if (i < inputs.length) {
        const input = inputs[i];
        nextInput[top] = i + 1;
        input.mark = walks;
        // A leaf needs no place on the path.
        if (input.inputs.length === 0) {
          this.note(input);
          continue;
        }
        top += 1;
        path[top] = input;
        nextInput[top] = 0;
      } else {
        this.note(node);
        top -= 1;
      }
    }
  }

  private note(node: Node): void {
    const { shape, attributes, inputs, box, op } = node;
    const { order, horizon } = this;
    const index = order.length;
    order[index] = node;
    node.index = index;
    if (!box) {
      if (node.isHeld) this.#candidates.push(node);
      if (node.reused && node.reused < horizon) this.#isRepeating = true;
    } else if (node.version !== box.version) throw staleness(this.path[0], box);
    const needed = this.length + 3 + shape.length + attributes.length + inputs.length;
    if (needed > paper.length) grow(needed);
    operations[2 * index] = box ? "box" : op;
    operations[2 * index + 1] = node.dtype;
    // This is the inner loop of every step: it keeps what it uses at hand.
    const words = paper;
    let at = this.length;
    words[at++] = shape.length;
    for (let i = 0; i < shape.length; i++) words[at++] = shape[i];
    if (box) words[at++] = this.#slotOf(box);
    else if (op === "scalar") words[at++] = this.scalars.push(node) - 1;
    else if (op === "constant") this.literals.push(attributes[0]);
    else {
      words[at++] = attributes.length;
      for (let i = 0; i < attributes.length; i++) words[at++] = attributes[i];
      for (let i = 0; i < inputs.length; i++) {
        words[at++] = inputs[i].index;
        if (inputs[i].id < horizon && node.id >= horizon) this.#noteOld(inputs[i]);
      }
    }
    this.length = at;
  }

  /**
   * What depends on a state is kept only when it would be computed for at least the third time: where a loss is read before
   * `backward()`, gradients use all that was recorded before, once.
   */
  #noteOld(node: Node): void {
    if (!node.isSubstantial) return;
    // Other strides of a value, or another shape of all of it, take no place of their own.
    let base = node;
    while (!base.box && strided.has(base.op)) base = base.inputs[0];
    let whole = base;
    while (!whole.box && whole.op === "reshape") whole = whole.inputs[0];
    if (whole.box || base.reused === this.horizon) return;
    base.reused = this.horizon;
    (base.dependsOnState ? this.#oldOfStates : this.old).push(base);
  }

  #slotOf(box: Box): number {
    if (box.mark !== walks) {
      box.mark = walks;
      box.slot = this.boxes.push(box) - 1;
    }
    return box.slot;
  }

  #write(number: number): void {
    if (this.length === paper.length) grow(this.length + 1);
    paper[this.length++] = number;
  }
}

function grow(needed: number): void {
  const larger = new Int32Array(Math.max(needed, paper.length * 2));
  larger.set(paper);
  paper = larger;
}

/** The error for a node that depends on a state that has moved on. */
export function staleness({ shape }: Node, { name }: Box): StateError {
  return stateError`realize: a tensor of shape ${shape} depends on ${name}, which has changed since. Before optimizer.step() or assign(), record what you want of it, or keep its detach().`;
}
