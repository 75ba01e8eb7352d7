import {
  type Affine,
  byteSize,
  type DType,
  type ElementInstruction,
  elementOps,
  type Guard,
  type Instruction,
  type LoadInstruction,
  type Stage,
} from "@gradloom/engine";
import { elementValue } from "./expression.ts";
import { type LaneAddress, pushLoad, pushLoadLane, pushSplat, writeStore } from "./lanes.ts";
import { countIterations } from "./loop-nest.ts";
import { writePhilox } from "./philox.ts";
import { type Accumulator, Reduction } from "./reduction.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** What the stages of a kernel function have in common. */
export interface KernelFrame {
  readonly w: VectorWriter;
  /** Sizes of the outer loops. */
  readonly outer: readonly number[];
  /**
   * What the lanes of a vector are: neighbours along the last outer loop; or else along the innermost
   * loop of each stage, with one point of the outer loops at a time.
   */
  readonly lanesAcross: boolean;
  /** Lanes of a full vector: 4, or 1 if there is float64 in the kernel. */
  readonly lanes: number;
  /** Locals with the current position in each outer loop. */
  readonly digits: readonly number[];
  /** Buffers that the kernel writes: what is loaded from them changes from row to row. */
  readonly written: ReadonlySet<number>;
  /** A local with the address of a buffer. */
  address(buffer: number): number;
  /** Byte offset of a scalar in the argument block. */
  scalarOffset(scalar: number): number;
  /** For the epilogue of a contraction: a local with the address of the product of this row's start. */
  readonly product: number | undefined;
}

/**
 * An affine expression that is kept in a local and increased from iteration to iteration: an address,
 * a value of a guard, or an index.
 */
interface Induction {
  /** A local with what it starts from. */
  readonly base: number | undefined;
  /** What one unit of the affine expression counts: the bytes of an element, or 1. */
  readonly unit: number;
  readonly affine: Affine;
  /** The local with the value at the loops' present positions. */
  local: number;
}

/** Writes the loops and the straight-line code of a stage. */
export class StageWriter {
  private readonly frame: KernelFrame;
  private readonly w: VectorWriter;
  private readonly stage: Stage;
  private readonly earlier: readonly StageWriter[];
  /** The loop along which the lanes lie, or -1: there is none, each value is one for all lanes. */
  private readonly laneLoop: number;
  /** The level at which a row, or a block of neighbouring rows, begins; and that of a single point. */
  private readonly rowLevel: number;
  private readonly pointLevel: number;
  /** How many vectors are worked on at once, independently of each other. */
  readonly unroll: number;

  private readonly levels: number[] = [];
  private readonly varies: boolean[] = [];
  private readonly inlined: boolean[] = [];
  private readonly inductions = new Map<string, Induction>();
  private readonly values: (Value | undefined)[][];
  private readonly reductions: (Reduction | undefined)[];
  private accumulators: Accumulator[][] = [];
  private readonly words = new Map<string, number[]>();

  /** How many lanes of how many vectors are being written. */
  private width = 1;
  private copies = 1;

  constructor(frame: KernelFrame, stage: Stage, earlier: readonly StageWriter[]) {
    this.frame = frame;
    this.w = frame.w;
    this.stage = stage;
    this.earlier = earlier;
    const numOuter = frame.outer.length;
    this.rowLevel = frame.lanesAcross ? 2 : 1;
    this.pointLevel = this.rowLevel + stage.inner.length;
    const last = numOuter + stage.inner.length - 1;
    this.laneLoop = frame.lanesAcross ? numOuter - 1 : stage.inner.length > 0 ? last : -1;
    this.values = stage.code.map(() => []);
    this.analyse();
    this.unroll = this.chooseUnroll();
    this.reductions = stage.results.map(({ value, reduce }) =>
      reduce === undefined ? undefined : new Reduction(this.w, reduce, stage.code[value].dtype),
    );
  }

  /** Writes what depends on no loop, once a call. */
  writeStart(): void {
    for (const induction of this.inductions.values()) {
      if (this.levelOf(induction.affine) === 0) this.startInduction(induction);
    }
    this.width = this.frame.lanes;
    this.writeLevel(0);
  }

  /** Writes what depends only on the outer loops without lanes. Its locals serve the whole row. */
  writeRowStart(): void {
    for (const induction of this.inductions.values()) {
      if (this.levelOf(induction.affine) > 0) this.startInduction(induction);
    }
    if (this.rowLevel > 1) this.writeLevel(1);
  }

  /** Takes the locals of the results, in the scope of the row. */
  takeResults(copies: number): void {
    this.accumulators = this.reductions.map((reduction) =>
      Array.from({ length: copies }, () => reduction?.accumulator() ?? [this.w.fresh()]),
    );
  }

  /** Writes the loops for one point of the outer loops, or for a block of neighbouring points. */
  writeRow(width: number, copies: number): void {
    const { w, stage, frame } = this;
    this.width = width;
    this.copies = frame.lanesAcross ? copies : 1;
    for (const [r, reduction] of this.reductions.entries()) {
      for (const accumulator of this.accumulators[r]) reduction?.start(accumulator);
    }
    w.scope(() => {
      this.writeLevel(this.rowLevel);
      if (countIterations(stage.inner) > 0 && stage.inner.length > 0) this.writeInner(0);
    });
    for (const [r, reduction] of this.reductions.entries()) {
      if (reduction === undefined) continue;
      if (!frame.lanesAcross) this.combineCopies(reduction, this.accumulators[r]);
      if (this.laneLoop >= 0 && !frame.lanesAcross && frame.lanes > 1) {
        w.scope(() => reduction.spread(this.accumulators[r][0]));
      }
    }
  }

  /** A result of this stage, for later stages of the same row. */
  result(index: number, copy: number): Value {
    const accumulator = this.accumulators[index][copy];
    return this.reductions[index]?.value(accumulator) ?? this.w.local(accumulator[0]);
  }

  /** Moves on along the loop with the lanes. */
  advance(lanes: number): void {
    for (const induction of this.inductions.values()) {
      this.step(induction, this.laneLoop, lanes);
    }
  }

  private combineCopies(reduction: Reduction, accumulators: readonly Accumulator[]): void {
    for (let step = 1; step < accumulators.length; step *= 2) {
      for (let i = 0; i + step < accumulators.length; i += 2 * step) {
        this.w.scope(() => reduction.merge(accumulators[i], accumulators[i + step]));
      }
    }
  }

  // Loops

  private writeInner(which: number): void {
    const { w, stage, frame } = this;
    const loop = frame.outer.length + which;
    w.scope(() => {
      const outside = new Map<Induction, number>();
      for (const induction of this.inductions.values()) {
        if ((induction.affine.strides[loop] ?? 0) === 0) continue;
        outside.set(induction, induction.local);
        const local = w.fresh("i32");
        w.f.get(induction.local).set(local);
        induction.local = local;
      }
      if (loop === this.laneLoop) {
        this.writeLaneLoop(stage.inner[which]);
      } else {
        this.repeat(stage.inner[which], () => {
          this.writeLevel(this.rowLevel + 1 + which);
          if (which + 1 < stage.inner.length) this.writeInner(which + 1);
          for (const induction of outside.keys()) this.step(induction, loop, 1);
        });
      }
      for (const [induction, local] of outside) induction.local = local;
    });
  }

  private writeLaneLoop(size: number): void {
    const { lanes } = this.frame;
    const { unroll } = this;
    const vectors = Math.floor(size / lanes);
    const part = (count: number, copies: number, width: number): void => {
      if (count === 0) return;
      this.repeat(count, () => {
        this.width = width;
        this.copies = copies;
        this.writeLevel(this.pointLevel);
        this.advance(width * copies);
      });
    };
    part(Math.floor(vectors / unroll), unroll, lanes);
    part(vectors % unroll, 1, lanes);
    part(size % lanes === 0 ? 0 : 1, 1, size % lanes);
  }

  /** Writes a loop of a fixed number of iterations. */
  private repeat(count: number, write: () => void): void {
    const { f } = this.w;
    if (count === 1) {
      this.w.scope(write);
      return;
    }
    this.w.scope(() => {
      const counter = this.w.fresh("i32");
      f.i32(count).set(counter);
      const again = f.loop();
      this.w.scope(write);
      f.get(counter).i32(1).op("i32.sub").tee(counter).brIf(again).end();
    });
  }

  // Inductions

  private inductionOf(
    affine: Affine,
    unit: number,
    base: number | undefined,
    name: string,
  ): Induction {
    const key = `${name} ${unit} ${affine.offset} ${affine.strides.join()}`;
    let induction = this.inductions.get(key);
    if (induction === undefined) {
      induction = { base, unit, affine, local: -1 };
      this.inductions.set(key, induction);
    }
    return induction;
  }

  private accessInduction(access: Affine & { readonly buffer: number }, dtype: DType): Induction {
    const base = this.frame.address(access.buffer);
    return this.inductionOf(access, byteSize[dtype], base, `a${access.buffer}`);
  }

  private indexInduction(affine: Affine): Induction {
    return this.inductionOf(affine, 1, undefined, "i");
  }

  /** Its value at the start of the row. */
  private startInduction(induction: Induction): void {
    const { f } = this.w;
    const { affine, unit, base } = induction;
    induction.local = this.w.fresh("i32");
    f.i32(affine.offset * unit);
    if (base !== undefined) f.get(base).op("i32.add");
    for (const [loop, digit] of this.frame.digits.entries()) {
      const stride = affine.strides[loop] * unit;
      if (stride === 0) continue;
      f.get(digit);
      if (stride !== 1) f.i32(stride).op("i32.mul");
      f.op("i32.add");
    }
    f.set(induction.local);
  }

  private step(induction: Induction, loop: number, iterations: number): void {
    const step = (induction.affine.strides[loop] ?? 0) * induction.unit * iterations;
    if (step === 0) return;
    this.w.f.get(induction.local).i32(step).op("i32.add").set(induction.local);
  }

  private laneStride(affine: Affine): number {
    return this.laneLoop < 0 ? 0 : (affine.strides[this.laneLoop] ?? 0);
  }

  // Analysis

  /** The level of the innermost loop that an affine expression depends on; 0 if there is none. */
  private levelOf(affine: Affine): number {
    const { outer, lanesAcross } = this.frame;
    for (let loop = affine.strides.length - 1; loop >= 0; loop--) {
      if (affine.strides[loop] === 0) continue;
      if (loop >= outer.length) return this.rowLevel + 1 + loop - outer.length;
      return lanesAcross && loop === outer.length - 1 ? 2 : 1;
    }
    return 0;
  }

  private analyse(): void {
    const { code, stores, results } = this.stage;
    const uses = code.map(() => 0);
    const onlyUser = code.map(() => -1);
    for (const [i, instruction] of code.entries()) {
      this.analyseInstruction(instruction);
      if (!("args" in instruction)) continue;
      for (const argument of instruction.args) {
        uses[argument]++;
        onlyUser[argument] = i;
      }
    }
    for (const { value } of [...stores, ...results]) uses[value]++;
    for (const store of stores) this.accessInduction(store.access, code[store.value].dtype);
    for (const [i, instruction] of code.entries()) {
      const user = onlyUser[i];
      const level = user < 0 ? this.pointLevel : this.levels[user];
      const varies = user < 0 ? this.laneLoop >= 0 : this.varies[user];
      this.inlined.push(
        "args" in instruction &&
          instruction.op !== "philox" &&
          uses[i] === 1 &&
          level === this.levels[i] &&
          varies === this.varies[i],
      );
    }
  }

  private analyseInstruction(instruction: Instruction): void {
    let level = 0;
    let varies = false;
    if ("args" in instruction) {
      for (const argument of instruction.args) {
        level = Math.max(level, this.levels[argument]);
        varies ||= this.varies[argument];
      }
    } else if (instruction.op === "load") {
      const { access, dtype, guards } = instruction;
      this.accessInduction(access, dtype);
      for (const guard of guards) this.indexInduction(guard);
      level = Math.max(this.levelOf(access), ...guards.map((guard) => this.levelOf(guard)));
      varies = [access, ...guards].some((affine) => this.laneStride(affine) !== 0);
      if (this.frame.written.has(access.buffer)) level = Math.max(level, this.rowLevel);
    } else if (instruction.op === "index") {
      this.indexInduction(instruction);
      level = this.levelOf(instruction);
      varies = this.laneStride(instruction) !== 0;
    } else if (instruction.op === "result") {
      level = this.rowLevel;
      varies = this.frame.lanesAcross;
    } else if (instruction.op === "product") {
      level = this.rowLevel;
      varies = true;
    }
    this.levels.push(level);
    this.varies.push(varies);
  }

  /** Small bodies need several at once to hide latencies; large ones would run out of registers. */
  private chooseUnroll(): number {
    if (this.laneLoop < 0) return 1;
    const { lanesAcross, lanes } = this.frame;
    const size = lanesAcross ? Infinity : this.stage.inner[this.stage.inner.length - 1];
    let cost = 0;
    for (const [i, instruction] of this.stage.code.entries()) {
      if (!this.varies[i] || this.levels[i] < this.pointLevel) continue;
      cost += "args" in instruction ? elementOps[instruction.op].cost : 1;
    }
    return Math.max(1, Math.min(cost <= 8 ? 4 : cost <= 30 ? 2 : 1, Math.floor(size / lanes)));
  }

  // Code

  private writeLevel(level: number): void {
    const { w } = this;
    const { code } = this.stage;
    this.words.clear();
    const here = [...code.keys()].filter((i) => this.levels[i] === level && !this.inlined[i]);
    for (const i of here) {
      if (!this.varies[i]) this.writeInstruction(i, 0);
    }
    for (let copy = 0; copy < this.copies; copy++) {
      for (const i of here) {
        if (this.varies[i]) this.writeInstruction(i, copy);
      }
      if (level === this.pointLevel) w.scope(() => this.writePoint(copy));
    }
  }

  private writePoint(copy: number): void {
    const { code, stores, results } = this.stage;
    for (const { value, access } of stores) {
      const at = this.laneAddress(
        this.accessInduction(access, code[value].dtype),
        code[value].dtype,
        access,
        copy,
      );
      writeStore(this.w, at, this.laneLoop < 0 ? 1 : this.width, this.valueOf(value, copy));
    }
    for (const [r, { value }] of results.entries()) {
      const reduction = this.reductions[r];
      const accumulator = this.accumulators[r][this.accumulators[r].length > copy ? copy : 0];
      if (reduction === undefined) {
        this.valueOf(value, copy)();
        this.w.f.set(accumulator[0]);
      } else {
        // With lanes across rows, those beyond the width belong to nobody.
        const { lanesAcross, lanes } = this.frame;
        const width = lanesAcross || lanes === 1 || this.laneLoop < 0 ? 4 : this.width;
        // See withPosition: the last instruction.
        const position = reduction.positional ? this.valueOf(code.length - 1, copy) : undefined;
        reduction.fold(accumulator, this.valueOf(value, copy), width, position);
      }
    }
  }

  private writeInstruction(i: number, copy: number): void {
    const { w } = this;
    const instruction = this.stage.code[i];
    if (instruction.op === "constant") {
      this.values[i][0] = w.constant(instruction.dtype, instruction.value);
    } else if (instruction.op === "scalar") {
      const offset = this.frame.scalarOffset(instruction.scalar);
      this.values[i][0] = w.hoisted(`s${offset}`, () => w.f.get(0).load("v128.load", offset));
    } else if (instruction.op === "result") {
      const value = this.earlier[instruction.stage].result(instruction.result, copy);
      this.values[i][copy] = w.keep(value);
    } else {
      if (instruction.op === "philox") this.writeWords(instruction, copy);
      const local = w.fresh();
      w.scope(() => this.push(i, copy));
      w.f.set(local);
      this.values[i][copy] = w.local(local);
    }
  }

  /** The value of an instruction: from its local, or computed on the spot. */
  private valueOf(i: number, copy: number): Value {
    if (this.inlined[i]) return () => this.w.scope(() => this.push(i, copy));
    return this.values[i][this.varies[i] ? copy : 0] as Value;
  }

  private push(i: number, copy: number): void {
    const instruction = this.stage.code[i];
    if ("args" in instruction) {
      if (instruction.op !== "philox") this.pushElement(instruction, copy);
      else this.w.f.get(this.wordsOf(instruction, copy)[instruction.word ?? 0]);
    } else if (instruction.op === "load") {
      this.pushLoad(i, instruction, copy);
    } else if (instruction.op === "index") {
      this.indexValue(this.indexInduction(instruction), copy)();
    } else if (instruction.op === "product") {
      const unit = byteSize[instruction.dtype];
      const pointer = this.frame.product as number;
      const at = {
        dtype: instruction.dtype,
        pointer,
        offset: copy * this.frame.lanes * unit,
        stride: unit,
        wraps: false,
      };
      pushLoad(this.w, at, this.width);
    }
  }

  private pushElement({ op, args, dtype }: ElementInstruction, copy: number): void {
    const operands = args.map((argument) => {
      const operand = this.stage.code[argument];
      return {
        dtype: operand.dtype,
        value: this.valueOf(argument, copy),
        constant: operand.op === "constant" ? operand.value : undefined,
      };
    });
    elementValue(this.w, op, dtype, operands)();
  }

  /** All four words are computed at once: kept for the other instructions with the same arguments. */
  private writeWords(instruction: ElementInstruction, copy: number): void {
    const { w } = this;
    if (this.wordsOf(instruction, copy) !== undefined) return;
    const words = [0, 1, 2, 3].map(() => w.fresh());
    w.scope(() => {
      const [counter, stream, key0, key1] = instruction.args.map((i) => this.valueOf(i, copy));
      writePhilox(w, counter, stream, key0, key1, words);
    });
    this.words.set(`${instruction.args.join()} ${copy}`, words);
  }

  private wordsOf({ args }: ElementInstruction, copy: number): readonly number[] {
    return this.words.get(`${args.join()} ${copy}`) as number[];
  }

  // Memory

  private indexValue(induction: Induction, copy: number): Value {
    const { w } = this;
    const stride = this.laneStride(induction.affine);
    const splat: Value = () => w.f.get(induction.local).op("i32x4.splat");
    if (stride === 0) return splat;
    const first = copy * this.frame.lanes;
    return w.op("i32x4.add", splat, w.i32(...[0, 1, 2, 3].map((lane) => (first + lane) * stride)));
  }

  private laneAddress(
    induction: Induction,
    dtype: DType,
    access: Affine,
    copy: number,
    wraps = false,
  ): LaneAddress {
    const stride = this.laneStride(access) * induction.unit;
    const offset = copy * this.frame.lanes * stride;
    return { dtype, pointer: induction.local, offset, stride, wraps };
  }

  private pushLoad(i: number, { access, dtype, guards }: LoadInstruction, copy: number): void {
    const { w } = this;
    const induction = this.accessInduction(access, dtype);
    const at = this.laneAddress(induction, dtype, access, copy, guards.length > 0);
    const width = this.varies[i] ? this.width : 1;
    const load = (): void => {
      if (this.laneStride(access) === 0) pushSplat(w, at);
      else pushLoad(w, at, width);
    };
    if (guards.length === 0) {
      load();
      return;
    }
    // All lanes are in range if the first and the last are.
    this.pushInRange(guards, copy, width === 1 ? [0] : [0, width - 1]);
    w.f.if("v128");
    load();
    w.f.else();
    w.f.i32x4(0);
    if (this.varies[i]) this.replaceLanesInRange(at, guards, copy);
    w.f.end();
  }

  private replaceLanesInRange(at: LaneAddress, guards: readonly Guard[], copy: number): void {
    const { w } = this;
    const value = w.fresh();
    w.f.set(value);
    for (let lane = 0; lane < this.width; lane++) {
      this.pushInRange(guards, copy, [lane]);
      w.f.if();
      pushLoadLane(w, at, lane, w.local(value));
      w.f.set(value).end();
    }
    w.f.get(value);
  }

  /** Pushes whether all guards hold in these lanes. */
  private pushInRange(guards: readonly Guard[], copy: number, lanes: readonly number[]): void {
    const { f } = this.w;
    let first = true;
    for (const guard of guards) {
      const stride = this.laneStride(guard);
      for (const lane of stride === 0 ? [0] : lanes) {
        const offset = (copy * this.frame.lanes + lane) * stride;
        f.get(this.indexInduction(guard).local);
        if (offset !== 0) f.i32(offset).op("i32.add");
        f.i32(guard.size).op("i32.lt_u");
        if (!first) f.op("i32.and");
        first = false;
      }
    }
  }
}
