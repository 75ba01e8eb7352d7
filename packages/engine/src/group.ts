import { type Form, flatten, Variables } from "./form.ts";
import { baseOf, wholeOf } from "./operand.ts";
import { positionOf } from "./remember.ts";
import { sizeOf } from "./shape.ts";
import { type Step, Trace, Untraceable } from "./trace.ts";
import type { Value } from "./value.ts";

/** More steps than this do not go into one kernel. */
const largestKernel = 200;
/** More buffers than this do not go into one kernel. */
const mostReads = 24;
/** Rows longer than this many elements leave the cache, so there is little to win by keeping them. */
const longestRow = 16384;
/** Fewer rows than this would leave threads without work, unless the rows are short. */
const fewestRows = 16;

/** An anchor in a group: its expression, in the group's variables. */
export interface Member {
  readonly value: Value;
  readonly code: readonly Step[];
  /** The step that gives the anchor's element, or what its reduction combines. */
  readonly result: number;
  /** The position by axis of the anchor's element. */
  readonly forms: readonly Form[];
  /** Whether there is one element for each row rather than for each point of it. */
  readonly isRow: boolean;
  /** Of a scatter: the step that gives the position. */
  readonly index?: number;
}

/**
 * Anchors that one kernel computes. Its loops are the outer variables (rows, which are independent)
 * and the inner variables (the points of a row). An element of a member is computed at one place: a row
 * or a point.
 */
export class Group {
  readonly number: number;
  /** The number of the member that was recorded first. */
  first: number;
  /** Greater than that of all groups that compute what it reads; else as it was created. */
  rank: number;
  /** Groups that read what it computes. */
  readonly readers: Set<Group> = new Set();
  readonly isMatmul: boolean;
  /** Whether its only member is a kernel of its own kind, or runs in order: nothing joins it. */
  readonly isClosed: boolean;
  readonly variables: Variables = new Variables();
  outer: number[] = [];
  inner: number[] = [];
  /** Of a scatter or a sort: the variable that is the position in a row of the result. */
  position: number = -1;
  members: Member[] = [];
  readonly #fusion: boolean;
  #known: { members: Member[]; reads: readonly Value[] } | undefined;

  /**
   * A group of one.
   *
   * @throws Untraceable if something that the anchor's expression goes through must have a place of its own.
   */
  constructor(value: Value, fusion: boolean) {
    this.number = value.number;
    this.first = value.number;
    this.rank = value.number;
    this.#fusion = fusion;
    this.isMatmul = value.op === "matmul";
    this.isClosed = isClosed(value);
    if (value.op === "part") {
      // All results of a loop are computed together, and not by a kernel of loops over them.
      const parts = value.inputs[0].consumers;
      this.members = parts.map((part) => ({
        value: part,
        code: [],
        result: -1,
        forms: [],
        isRow: false,
      }));
      return;
    }
    const { own, reduced, forms, points } = this.#loopsFor(value, false);
    this.outer = own;
    this.inner = reduced;
    let at = points;
    if (this.isClosed) {
      // Of a scatter, the loop along the axis is the one over what is scattered; of a sort, there is none.
      const [axis] = value.attributes;
      this.inner = this.outer.splice(axis, 1);
      this.position = this.inner[0];
      if (value.op.startsWith("scatter:")) {
        this.inner = this.variables.createAll([value.inputs[0].shape[axis]], false);
        at = forms.map((form, i) => (i === axis ? this.variables.form(this.inner[0]) : form));
      }
    }
    this.#start(value, forms, at);
  }

  /** Loops over a value, and over what it reduces, if it does: the element of each, and of its input. */
  #loopsFor(value: Value, free: boolean) {
    const { variables } = this;
    const { attributes, reduceOp } = value;
    const own = variables.createAll(value.shape, free);
    const forms = variables.forms(own);
    if (reduceOp === undefined) return { own, forms, reduced: [], points: forms };
    const [{ shape }] = value.inputs;
    const sizes = attributes.map((axis) => shape[axis]);
    const reduced = variables.createAll(sizes, free);
    const points = interleave(shape, attributes, forms, variables.forms(reduced));
    return { own, forms, reduced, points };
  }

  #start(value: Value, forms: readonly Form[], points: readonly Form[]): void {
    const trace = new Trace(this.variables, () => false);
    const isRow = this.inner.length === 0 || value.reduceOp !== undefined;
    const member = { value, code: trace.code, forms, isRow };
    if (value.op.startsWith("scatter:")) {
      const [result, index] = value.inputs.map((input) => trace.value(input, points));
      this.members = [{ ...member, result, index }];
    } else if (value.op === "sort") this.members = [{ ...member, result: -1 }];
    else this.members = [{ ...member, result: trace.expression(value, points) }];
    // A scan runs along one loop.
    if (value.scanOp && this.variables.leaves([this.position]).length > 1) {
      throw new Untraceable(value.inputs[0]);
    }
  }

  memberOf(value: Value): Member | undefined {
    for (const member of this.members) if (member.value === value) return member;
    return undefined;
  }

  /** The anchors and leaves outside that members read. */
  reads(): readonly Value[] {
    if (this.#known?.members === this.members) return this.#known.reads;
    const reads: Value[] = [];
    for (const { value, code } of this.members) {
      for (const step of code)
        if (step.op === "read" && !this.memberOf(step.value)) positionOf(reads, step.value);
      if (value.op === "matmul" || value.op === "sort") {
        for (const operand of value.inputs) positionOf(reads, baseOf(operand));
      }
      if (value.op === "part")
        for (const input of value.inputs[0].inputs) positionOf(reads, wholeOf(input));
    }
    this.#known = { members: this.members, reads };
    return reads;
  }

  /**
   * Takes in an anchor that reads members, if it reads them just where they are computed. Says whether
   * it did; if not, the group is as it was.
   *
   * @param others - Groups that may be absorbed next, because the anchor reads their members too.
   */
  join(value: Value, others: readonly Group[]): boolean {
    if (!this.#fusion || this.isClosed || value.op === "matmul" || value.op === "cat") return false;
    if (isClosed(value)) return false;
    return this.#place(value, undefined, others);
  }

  /** Takes in all members of another group that members of this one read, in the same way. */
  absorb(other: Group, reader: Value): boolean {
    if (other.isMatmul || other.isClosed || !this.#fusion || this.#multiplies(other)) return false;
    const member = this.memberOf(reader)!;
    const before = { members: this.members, outer: this.outer, inner: this.inner };
    for (const { value } of other.members) {
      const step = member.code.find((s) => s.op === "read" && s.value === value);
      const forms = step?.op === "read" ? step.forms : undefined;
      // A member that the reader does not read finds its place through those that it reads itself.
      if (this.#place(value, forms, [])) continue;
      Object.assign(this, before);
      return false;
    }
    if (this.members.every((m) => m.code.every((step) => this.#isLocal(step)))) return true;
    Object.assign(this, before);
    return false;
  }

  /** Whether a matrix product in here needs what another group computes: it must be there before. */
  #multiplies(other: Group): boolean {
    const product = this.members.find(({ value }) => value.op === "matmul")?.value;
    const needs = (base: Value) => other.memberOf(base) || other.#hasPartOf(base);
    return product?.inputs.some((operand) => needs(baseOf(operand))) ?? false;
  }

  /** Whether a member is a part of a `cat`, which can be read only when all of it is there. */
  #hasPartOf(value: Value): boolean {
    return value.op === "cat" && value.inputs.some((part) => this.memberOf(part));
  }

  /** Whether a step that reads a member reads the element that is computed at the same place. */
  #isLocal(step: Step): boolean {
    if (step.op !== "read") return true;
    if (this.#hasPartOf(step.value)) return false;
    const member = this.memberOf(step.value);
    if (!member) return true;
    if (!step.forms || step.guards.length > 0) return false;
    return step.forms.every((form, axis) => this.variables.unify(form, member.forms[axis]));
  }

  #place(value: Value, known: readonly Form[] | undefined, others: readonly Group[]): boolean {
    // The rows of a product are not computed as a whole.
    if (this.isMatmul && value.reduceOp !== undefined) return false;
    const { variables } = this;
    const { own, reduced, forms, points } = this.#loopsFor(value, true);
    if (known) {
      for (let i = 0; i < forms.length; i++) {
        if (!variables.unify(forms[i], known[i])) return false;
      }
    }
    const isNear = (anchor: Value) => [this, ...others].some((group) => group.memberOf(anchor));
    const trace = new Trace(variables, isNear);
    const result = trace.expression(value, points);
    if (!trace.code.every((step) => this.#isLocal(step))) return false;

    const isReduction = value.reduceOp !== undefined;
    const inner = isReduction ? this.#innerFor(value, reduced) : this.inner;
    if (!inner) return false;
    const outer = this.outer.filter((variable) => !inner.includes(variable));
    const rowSize = this.#count(inner);
    const isRow = inner.length === 0 || isReduction || value.numel !== this.#count(outer) * rowSize;
    if (!isRow && inner.length > 0 && rowSize > longestRow) return false;
    if (isReduction) this.#meetInOrder(reduced, inner);
    this.#meetInOrder(own, isRow ? outer : [...outer, ...inner]);
    if (!this.#covers(forms, isRow ? outer : [...outer, ...inner])) return false;
    if (isReduction && !this.#covers(variables.forms(reduced), inner)) return false;

    const member = { value, code: trace.code, result, forms, isRow };
    const members = [...this.members, member];
    const steps = members.reduce((sum, { code }) => sum + code.length, 0);
    if (steps > largestKernel || this.reads().length >= mostReads) return false;
    if (this.isMatmul && !this.#isWhole(member)) return false;
    if (inner !== this.inner) {
      // What was computed at each point of the outer loops is now computed at each point of the rows.
      this.members = members.map((m) => (m === member ? m : { ...m, isRow: false }));
      this.inner = inner;
      this.outer = outer;
    } else this.members = members;
    return true;
  }

  /**
   * The inner loops once this reduction is in: those that there are, or, in a group that has none,
   * the outer loops over which it reduces, if that makes good rows.
   */
  #innerFor(value: Value, reduced: readonly number[]): number[] | undefined {
    const { variables } = this;
    if (this.inner.length > 0) return this.inner;
    const [x] = value.inputs;
    const trailing = value.attributes.every(
      (axis, i) => axis === x.shape.length - value.attributes.length + i,
    );
    const row = x.numel / value.numel;
    if (!trailing || row > longestRow || (value.numel < fewestRows && x.numel > longestRow)) {
      return undefined;
    }
    const leaves = variables.named(variables.forms(reduced));
    this.outer = variables.leaves(this.outer);
    return this.outer.filter((variable) => leaves.includes(variable));
  }

  /** Binds variables about which nothing is known to the loops that are left, in order. */
  #meetInOrder(own: readonly number[], loops: readonly number[]): void {
    const { variables } = this;
    const unbound = own.flatMap((variable) => variables.unbound(variable));
    if (unbound.length === 0) return;
    const used = variables.named(variables.forms(own));
    const left = variables.leaves(loops).filter((leaf) => !used.includes(leaf));
    variables.unify(this.#flat(unbound), this.#flat(left));
  }

  #flat(list: readonly number[]): Form {
    return flatten(this.variables.forms(list), this.variables.sizes(list));
  }

  /** Whether forms name each of these loops once, so that their values and the loops' points correspond. */
  #covers(forms: readonly Form[], loops: readonly number[]): boolean {
    const wanted = this.variables.leaves(loops);
    const named = this.variables.named(forms);
    return wanted.length === named.length && wanted.every((loop) => named.includes(loop));
  }

  #count(loops: readonly number[]): number {
    return sizeOf(this.variables.sizes(loops));
  }

  /**
   * Whether the member's accesses have a stride along each loop as it was before it was split: the loops
   * of a matrix product cannot be split.
   */
  #isWhole({ value, code, forms }: Member): boolean {
    const accesses = [placed(value, forms)];
    for (const step of code) {
      if (step.op === "read" && !this.memberOf(step.value)) {
        accesses.push(step.flat, ...step.guards.map(({ form }) => form));
      } else if (step.op === "index") accesses.push(step.form);
    }
    return accesses.every((form) =>
      this.outer.every((loop) => this.variables.stride(form, loop) !== undefined),
    );
  }
}

/** The position of an anchor's element in the buffer that holds it. */
export function placed(value: Value, forms: readonly Form[]): Form {
  const { placement } = value;
  if (!placement) return flatten(forms, value.shape);
  const shifted = forms.map((form, axis) =>
    axis === placement.axis ? { ...form, offset: form.offset + placement.offset } : form,
  );
  return flatten(shifted, placement.whole.shape);
}

/** Whether a value is computed by a kernel of its own kind, or in order. */
export function isClosed({ op, scanOp }: Value): boolean {
  return op === "sort" || op === "part" || op.startsWith("scatter:") || scanOp !== undefined;
}

/** The forms of all axes, from those of the kept and those of the reduced ones. */
function interleave(
  shape: readonly number[],
  axes: readonly number[],
  kept: readonly Form[],
  reduced: readonly Form[],
): Form[] {
  let k = 0;
  let r = 0;
  return shape.map((_, axis) => (axes.includes(axis) ? reduced[r++] : kept[k++]));
}
