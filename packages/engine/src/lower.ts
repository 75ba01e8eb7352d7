import type { DType } from "./dtype.ts";
import { elementCost } from "./element-op.ts";
import { type Form, flatten } from "./form.ts";
import { type Group, type Member, placed } from "./group.ts";
import type {
  Access,
  Affine,
  Kernel,
  LoopKernel,
  MatmulKernel,
  MatrixOperand,
  ScatterKernel,
  SortKernel,
  Stage,
} from "./kernel.ts";
import { namesIn } from "./label.ts";
import { OpenStage } from "./open-stage.ts";
import { matrixOf, stridesOf, wholeOf } from "./operand.ts";
import { positionOf, remember } from "./remember.ts";
import { rowMajor, sizeOf } from "./shape.ts";
import type { Step } from "./trace.ts";
import type { Value } from "./value.ts";

/** Recomputing what costs this much or more in a later stage is dearer than keeping the row. */
const worthKeeping = 4;

/** The value in whose buffer an anchor's elements live: a part of a `cat` lives in the whole. */
export function bufferOf(value: Value): Value {
  return value.placement?.whole ?? value;
}

/** A kernel, with the values behind its buffers and the plan's numbers of its scalars. */
export interface LoweredKernel {
  readonly kernel: Kernel;
  readonly buffers: readonly Value[];
}

/**
 * Turns a group into a kernel. Members are put into stages: passes over the row (even times) and steps
 * done once a row (odd times), each as early as what it needs allows.
 */
export function lower(group: Group, isStored: (value: Value) => boolean): LoweredKernel {
  return new Lowering(group, isStored).run();
}

class Lowering {
  readonly #group: Group;
  readonly #isStored: (value: Value) => boolean;
  readonly #loops: readonly number[];
  readonly #outer: readonly number[];
  readonly #inner: readonly number[];
  readonly #buffers: Value[] = [];
  readonly #scalars: number[] = [];
  readonly #scratch: { member: Member; dtype: DType; length: number }[] = [];
  readonly #times = new Map<Member, number>();
  readonly #stages = new Map<number, OpenStage>();

  constructor(group: Group, isStored: (value: Value) => boolean) {
    this.#group = group;
    this.#isStored = isStored;
    const { isMatmul, outer, inner, variables } = group;
    this.#outer = isMatmul ? [...groupLoop(group), ...outer] : variables.leaves(outer);
    this.#inner = variables.leaves(inner);
    this.#loops = [...this.#outer, ...this.#inner];
  }

  run(): LoweredKernel {
    const [first] = this.#group.members;
    const kernel =
      this.#group.isClosed && first.value.scanOp === undefined
        ? this.#single(first)
        : this.#fused();
    return { kernel, buffers: this.#buffers };
  }

  /** What all kernels have; to be asked for when everything that the kernel touches has been named. */
  #common(label: readonly string[]): Pick<Kernel, "buffers" | "scalars" | "label"> {
    return { buffers: this.#buffers.map((_, i) => i), scalars: this.#scalars, label };
  }

  #fused(): LoopKernel | MatmulKernel {
    const members = [...this.#group.members].sort((a, b) => a.value.number - b.value.number);
    const product = members.find(({ value }) => value.op === "matmul")?.value;
    const [a, b] = product?.inputs.slice(0, 2).map((operand) => this.#operand(operand)) ?? [];
    const bounds = product?.inputs[2];
    const groups = bounds && {
      along: product.attributes[0] === 0 ? ("rows" as const) : ("terms" as const),
      bounds: positionOf(this.#buffers, wholeOf(bounds)),
    };
    for (const member of members) this.#times.set(member, this.#timeOf(member));
    const moments = new Set(this.#times.values());
    for (const member of members) {
      if (isReduction(member) && this.#isStored(member.value)) moments.add(this.#readyAt(member));
    }
    for (const time of [...moments].sort((a, b) => a - b)) {
      for (const member of members) this.#settle(member, time);
    }
    const kept = [...this.#stages.values()]
      .filter(({ stores, results }) => stores.length + results.length > 0)
      .sort((a, b) => a.time - b.time);
    const stages = kept.map((stage) => this.#close(stage, kept));
    const names = [...(product ? ["matmul"] : []), ...namesIn(stages)];
    const common = this.#common(names.length === 0 ? ["copy"] : names);
    if (product) {
      const { inputs, dtype } = product;
      const [m, k] = inputs[0].shape.slice(-2);
      const [n] = product.shape.slice(-1);
      const epilogue = stages[0] ?? { inner: [], code: [], stores: [], results: [] };
      return {
        kind: "matmul",
        dtype,
        batch: inputs[0].shape.slice(0, -2),
        m,
        n,
        k,
        a,
        b,
        ...(groups && { groups }),
        epilogue,
        ...common,
      };
    }
    const scratch = this.#scratch.map(({ dtype, length }) => ({ dtype, length }));
    return { kind: "loop", outer: this.#sizes(this.#outer), stages, scratch, ...common };
  }

  /** A scatter or a sort: a kernel of its own kind. */
  #single(member: Member): ScatterKernel | SortKernel {
    const { value, forms } = member;
    const { op, attributes, shape } = value;
    const [axis, last] = attributes;
    const loops = [...this.#outer, this.#group.position];
    const outer = this.#sizes(this.#outer);
    const [x] = value.inputs;
    if (op === "sort") {
      const { base, offset, strides } = stridesOf(x)!;
      // Axes of size 1 are no loops.
      const turned = [...strides.filter((_, i) => i !== axis && shape[i] > 1), strides[axis]];
      const source = { buffer: positionOf(this.#buffers, base), offset, strides: turned };
      const target = this.#access(value, flatten(forms, shape), loops);
      return {
        kind: "sort",
        dtype: x.dtype,
        descending: last === 1,
        outer,
        size: x.shape[axis],
        count: shape[axis],
        source,
        target,
        ...this.#common(["sort"]),
      };
    }
    const combine = op === "scatter:max" ? "max" : "sum";
    const open = this.#stageAt(0);
    const positions = this.#steps(open, member);
    const target = this.#access(value, flatten(forms, shape), loops);
    const stage = this.#close(open, [open]);
    return {
      kind: "scatter",
      dtype: value.dtype,
      combine,
      outer,
      size: last,
      stage,
      index: positions[member.index!],
      value: positions[member.result],
      target,
      ...this.#common([`scatter ${combine}`, ...namesIn([stage])]),
    };
  }

  #sizes(loops: readonly number[]): number[] {
    return this.#group.variables.sizes(loops);
  }

  /** The stage in which a member is computed: the first in which all that it reads is there. */
  #timeOf(member: Member): number {
    const isPass = this.#inner.length > 0 && (!member.isRow || isReduction(member));
    let time = isPass ? 0 : -1;
    for (const step of member.code) {
      const other = step.op === "read" ? this.#group.memberOf(step.value) : undefined;
      if (!other) continue;
      const ready = this.#readyAt(other);
      time = Math.max(time, (ready % 2 === 0) === isPass ? ready : ready + 1);
    }
    return time;
  }

  /** From which stage on a member's value can be used. */
  #readyAt(member: Member): number {
    const time = this.#times.get(member)!;
    return isReduction(member) ? time + 1 : time;
  }

  /** Does at a time what is to be done about a member: combine, and store. */
  #settle(member: Member, time: number): void {
    const stored = this.#isStored(member.value);
    if (isReduction(member) && this.#times.get(member) === time) this.#resultOf(member);
    if (!stored || this.#readyAt(member) !== time) return;
    const stage = this.#stageAt(time);
    const value = this.#valueIn(stage, member);
    stage.stores.push({ value, access: this.#place(member) });
  }

  #stageAt(time: number): OpenStage {
    return remember(this.#stages, time, () => new OpenStage(time));
  }

  /** The instruction of a stage that gives a member's value. */
  #valueIn(stage: OpenStage, member: Member): number {
    return remember(stage.values, member, () => {
      const time = this.#times.get(member)!;
      const { dtype } = member.value;
      const isLater = time < stage.time;
      if (isReduction(member) || (member.isRow && isLater && this.#inner.length > 0)) {
        const result = this.#resultOf(member);
        return stage.push({ op: "result", dtype, stage: time, result });
      }
      const isStored = this.#isStored(member.value);
      if (!isLater || !(isStored || costOf(member) >= worthKeeping)) {
        return this.#compute(stage, member);
      }
      const access = isStored ? this.#place(member) : this.#keep(member);
      return stage.push({ op: "load", dtype, access, guards: [] });
    });
  }

  /** Runs a member's expression in a stage. */
  #compute(stage: OpenStage, member: Member): number {
    return this.#steps(stage, member)[member.result];
  }

  #steps(stage: OpenStage, { code }: Member): number[] {
    const positions: number[] = [];
    for (const step of code) positions.push(this.#step(stage, step, positions));
    return positions;
  }

  #step(stage: OpenStage, step: Step, positions: readonly number[]): number {
    switch (step.op) {
      case "read": {
        const member = this.#group.memberOf(step.value);
        if (member) return this.#valueIn(stage, member);
        const access = this.#access(step.value, step.flat);
        const guards = step.guards.map(({ form, size }) => ({ ...this.#affine(form), size }));
        const { dtype, outside, index: at } = step;
        const index = at && { value: positions[at.step], stride: at.stride };
        return stage.push({ op: "load", dtype, access, guards, outside, index });
      }
      case "check":
      case "scan":
        return stage.push({ ...step, arg: positions[step.arg] });
      case "index":
        return stage.push({ op: "index", dtype: "int32", ...this.#affine(step.form) });
      case "constant":
      case "product":
        return stage.push(step);
      case "scalar":
        return stage.push({
          op: "scalar",
          dtype: step.dtype,
          scalar: positionOf(this.#scalars, step.slot),
        });
      default:
        return stage.push({ ...step, args: step.args.map((arg) => positions[arg]) });
    }
  }

  /** The result that a member leaves behind for later stages. */
  #resultOf(member: Member): number {
    const stage = this.#stageAt(this.#times.get(member)!);
    return remember(stage.exported, member, () => {
      const reduce = member.value.reduceOp;
      const value =
        reduce === undefined ? this.#valueIn(stage, member) : this.#compute(stage, member);
      return stage.results.push({ value, reduce }) - 1;
    });
  }

  /** A row that keeps a member's values for later stages. */
  #keep(member: Member): Access {
    let index = this.#scratch.findIndex((row) => row.member === member);
    const sizes = this.#sizes(this.#inner);
    const strides = [...this.#outer.map(() => 0), ...rowMajor(sizes)];
    if (index < 0) {
      const length = sizeOf(sizes);
      index = this.#scratch.push({ member, dtype: member.value.dtype, length }) - 1;
    }
    const access = { buffer: -1 - index, offset: 0, strides };
    const stage = this.#stageAt(this.#times.get(member)!);
    const isKept = stage.stores.some((store) => store.access.buffer === access.buffer);
    if (!isKept) stage.stores.push({ value: this.#valueIn(stage, member), access });
    return access;
  }

  /** Where a member's element is stored. */
  #place(member: Member): Access {
    return this.#access(bufferOf(member.value), placed(member.value, member.forms));
  }

  #access(buffer: Value, form: Form, loops = this.#loops): Access {
    return { buffer: positionOf(this.#buffers, buffer), ...this.#affine(form, loops) };
  }

  #affine(form: Form, loops = this.#loops): Affine {
    const { variables } = this.#group;
    const resolved = variables.resolve(form);
    return { offset: resolved.offset, strides: variables.strides(resolved, loops)! };
  }

  #close(stage: OpenStage, kept: readonly OpenStage[]): Stage {
    const inner = stage.isPass ? this.#sizes(this.#inner) : [];
    const used = inner.length === 0 ? this.#outer.length : this.#loops.length;
    return stage.close(inner, used, kept, this.#buffers.length);
  }

  /** An operand of a matrix product, where it is. Anchors were chosen so that it is in one place. */
  #operand(operand: Value): MatrixOperand {
    const { base, ...view } = matrixOf(operand)!;
    return { buffer: positionOf(this.#buffers, base), ...view };
  }
}

/** A product of groups of rows goes through the groups as well: a loop that its result does not have. */
function groupLoop({ members: [{ value }], variables }: Group): number[] {
  return value.attributes[0] === 0 ? [variables.create(value.inputs[0].shape[0], true)] : [];
}

function isReduction({ value }: Member): boolean {
  return value.reduceOp !== undefined;
}

function costOf({ code }: Member): number {
  let cost = 0;
  for (const { op } of code) cost += elementCost(op);
  return cost;
}
