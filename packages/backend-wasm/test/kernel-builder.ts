import {
  type Access,
  byteSize,
  type DType,
  type Instruction,
  isFloat,
  type Kernel,
  type LoadInstruction,
  type LoopKernel,
  type MatrixOperand,
  type Program,
  type ReduceOp,
  type Result,
  type Stage,
  type Store,
  type TypedArray,
} from "@gradloom/engine";
import type { Draw } from "./draw.ts";
import { drawReach, drawReachWithin, drawStoreReach, type Reach } from "./random-access.ts";
import { createContent, drawContent, type Filling } from "./random-content.ts";
import { drawPalette, Expression, limits, type Palette, type Value } from "./random-expression.ts";

/** A program and what it is given. */
export interface RandomProgram {
  readonly program: Program;
  /** By buffer number: what is in it before the run; `undefined` for buffers in the arena. */
  readonly contents: readonly (TypedArray | undefined)[];
  readonly scalars: readonly number[];
}

interface RandomBuffer {
  readonly dtype: DType;
  length: number;
  readonly filling: Filling;
  /** Between what its elements lie, now. */
  low: number;
  high: number;
  /** A kernel has written all of it; nobody may make it longer. */
  readonly output: boolean;
  readonly arena: boolean;
}

/** A row that an earlier stage has written. */
interface Scratch {
  readonly dtype: DType;
  readonly length: number;
  readonly low: number;
  readonly high: number;
}

/** A buffer that is read at each point, and may be written there. */
interface InPlace {
  readonly buffer: number;
  readonly access: Access;
  readonly inner: string;
  stored: boolean;
}

interface EarlierResult {
  readonly instruction: Instruction;
  used: boolean;
  readonly low: number;
  readonly high: number;
}

/** Collects kernels, and the buffers and scalars that they share. */
export class ProgramBuilder {
  readonly draw: Draw;
  readonly buffers: RandomBuffer[] = [];
  readonly scalarTypes: DType[] = [];
  readonly scalars: number[] = [];
  readonly #kernels: KernelBuilder[] = [];
  readonly #bodies: Kernel[] = [];
  readonly #barriers: boolean[] = [];

  constructor(draw: Draw) {
    this.draw = draw;
  }

  add({ builder, kernel }: { builder: KernelBuilder; kernel: Kernel }): void {
    const since = this.#barriers.lastIndexOf(true);
    const running = this.#kernels.slice(Math.max(since, 0));
    const conflict = running.some((other) => other.conflicts(builder));
    this.#barriers.push(conflict || this.draw.chance(30));
    this.#kernels.push(builder);
    this.#bodies.push(kernel);
  }

  finish(): RandomProgram {
    let arenaBytes = 0;
    const buffers = this.buffers.map(({ dtype, length, arena }) => {
      if (!arena) return { dtype, length, arenaOffset: undefined };
      const arenaOffset = arenaBytes;
      arenaBytes += Math.ceil((length * byteSize[dtype] + 1) / 64) * 64;
      return { dtype, length, arenaOffset };
    });
    return {
      program: {
        kernels: this.#bodies,
        barriers: this.#barriers,
        buffers,
        scalars: this.scalarTypes,
        arenaBytes,
      },
      contents: this.buffers.map(({ dtype, length, filling, arena }, i) =>
        arena ? undefined : createContent(dtype, length, filling, i),
      ),
      scalars: this.scalars,
    };
  }
}

/** Collects what one kernel touches. Until `finish`, scratch row `i` goes by the number `-1 - i`. */
export class KernelBuilder {
  readonly draw: Draw;
  readonly program: ProgramBuilder;
  readonly outer: readonly number[];
  readonly buffers: number[] = [];
  readonly scalars: number[] = [];
  readonly stages: Stage[] = [];
  readonly scratch: Scratch[] = [];
  readonly #palette: Palette;
  readonly #results: EarlierResult[] = [];
  readonly #inPlace: InPlace[] = [];
  readonly #written = new Set<number>();

  constructor(program: ProgramBuilder, outer: readonly number[]) {
    this.draw = program.draw;
    this.program = program;
    this.outer = outer;
    this.#palette = drawPalette(program.draw);
  }

  /** The code of another stage. */
  expression(): Expression {
    return new Expression(this.draw, this.#palette);
  }

  /** Whether the other kernel may not run at the same time as this earlier one. */
  conflicts(other: KernelBuilder): boolean {
    const touches = (a: KernelBuilder, b: KernelBuilder): boolean =>
      [...a.#written].some((buffer) => b.buffers.includes(buffer));
    return touches(this, other) || touches(other, this);
  }

  /** The position in the kernel's list of a buffer of the program. */
  #use(buffer: number): number {
    const position = this.buffers.indexOf(buffer);
    return position >= 0 ? position : this.buffers.push(buffer) - 1;
  }

  #create(parts: Omit<RandomBuffer, "arena" | "output"> & Partial<RandomBuffer>): number {
    return this.program.buffers.push({ output: false, arena: false, ...parts }) - 1;
  }

  /** Buffers of a dtype that this kernel may read anywhere. */
  #readable(dtype: DType, output: boolean): number[] {
    const closed = new Set([...this.#written, ...this.#inPlace.map(({ buffer }) => buffer)]);
    return [...this.program.buffers.keys()].filter((number) => {
      const buffer = this.program.buffers[number];
      const fits = buffer.dtype === dtype && buffer.output === output && buffer.length > 0;
      return fits && !closed.has(number);
    });
  }

  /** Reads an input, what an earlier kernel wrote, a scratch row, or what will be written in place. */
  load(code: Expression, inner: readonly number[]): Value {
    const { draw } = this;
    const sizes = [...this.outer, ...inner];
    const rows = [...this.scratch.keys()].filter((i) => this.scratch[i].length > 0);
    if (rows.length > 0 && draw.chance(40)) return this.#loadScratch(code, draw.pick(rows), inner);
    const again = this.#inPlace.filter((own) => !own.stored && own.inner === inner.join());
    if (again.length > 0 && draw.chance(30)) return this.#read(code, draw.pick(again).access, []);
    if (draw.chance(15)) return this.#gather(code, inner);
    const dtype = code.dtype();
    const outputs = this.#readable(dtype, true);
    if (outputs.length > 0 && draw.chance(60)) {
      const buffer = draw.pick(outputs);
      const affine = drawReachWithin(draw, sizes, this.program.buffers[buffer].length);
      return this.#read(code, { ...affine, buffer: this.#use(buffer) }, []);
    }
    if (draw.chance(12)) {
      const reach = drawStoreReach(draw, sizes, false);
      const access = this.#place(reach, this.#input(dtype));
      this.#inPlace.push({
        buffer: this.buffers[access.buffer],
        access,
        inner: inner.join(),
        stored: false,
      });
      return this.#read(code, access, []);
    }
    const inputs = this.#readable(dtype, false);
    const buffer = inputs.length > 0 && draw.chance(30) ? draw.pick(inputs) : this.#input(dtype);
    const reach = drawReach(draw, sizes);
    return this.#read(code, this.#place(reach, buffer), reach.guards);
  }

  /** Reads an input where a value of the code says. */
  #gather(code: Expression, inner: readonly number[]): Value {
    const { draw } = this;
    const sizes = [...this.outer, ...inner];
    const size = draw.pick([3, 1, 2, 7, 40, 300]);
    const index = this.checkedIndex(code, inner, size);
    const reach = drawReach(draw, sizes);
    const stride = draw.pick([reach.highest - reach.lowest + 1, 1, 1, -1, 3, 0]);
    const span = stride * (size - 1);
    const lowest = reach.lowest + Math.min(span, 0);
    const highest = reach.highest + Math.max(span, 0);
    const access = this.#place({ ...reach, lowest, highest }, this.#input(code.dtype()));
    return this.#read(code, access, reach.guards, { value: index.position, stride });
  }

  /** An index below a size, the same for all points of some loops; very seldom it is not below it. */
  checkedIndex(code: Expression, inner: readonly number[], size: number): Value {
    const { draw } = this;
    let index: Value;
    if (draw.chance(60)) {
      const used = [...this.outer, ...inner].map((length) => (draw.chance(40) ? 1 : length));
      const { strides, lowest, highest } = drawStoreReach(draw, used, false);
      const own = strides.map((stride, loop) => (used[loop] === 1 ? 0 : stride));
      const access = this.#place(
        { strides: own, lowest, highest, guards: [] },
        this.#input("int32"),
      );
      index = this.#read(code, access, []);
    } else {
      index = code.value("int32");
    }
    const wild = draw.chance(4) && code.code[index.position].op === "load";
    if (!wild) {
      const limit = code.constant("int32", size);
      index = code.element("mod", "int32", [index, limit], [0, size - 1]);
    }
    const check = { op: "check", dtype: "int32", arg: index.position, size, name: 0 } as const;
    return code.push(check, 0, size - 1);
  }

  /** Where to read an element at each point of these loops, from an input or what an earlier kernel wrote. */
  source(sizes: readonly number[]): { dtype: DType; access: Access } {
    const { draw } = this;
    const dtype = this.expression().dtype();
    const outputs = this.#readable(dtype, true);
    if (outputs.length > 0 && draw.chance(60)) {
      const buffer = draw.pick(outputs);
      const affine = drawReachWithin(draw, sizes, this.program.buffers[buffer].length);
      return { dtype, access: { ...affine, buffer: this.#use(buffer) } };
    }
    return { dtype, access: this.#place(drawReach(draw, sizes, false), this.#input(dtype)) };
  }

  /** Writes all elements of a new buffer, one at each point of these loops: where that is. */
  fill(dtype: DType, sizes: readonly number[], [low, high]: readonly [number, number]): Access {
    const buffer = this.#create({
      dtype,
      length: 0,
      low,
      high,
      filling: { seed: 0, kind: "zero" },
      output: true,
    });
    this.#written.add(buffer);
    return this.#place(drawStoreReach(this.draw, sizes, false), buffer);
  }

  #input(dtype: DType): number {
    return this.#create({ dtype, length: 0, ...drawContent(this.draw, dtype) });
  }

  /** Moves a reach into a buffer, which becomes long enough, with some room at both ends. */
  #place({ strides, lowest, highest }: Reach, buffer: number, room = this.draw.int(0, 3)): Access {
    const target = this.program.buffers[buffer];
    const offset = -lowest + room;
    target.length = Math.max(target.length, highest + offset + 1 + room);
    return { buffer: this.#use(buffer), offset, strides };
  }

  #read(
    code: Expression,
    access: Access,
    guards: Reach["guards"],
    index?: LoadInstruction["index"],
  ): Value {
    const { dtype, low, high } = this.program.buffers[this.buffers[access.buffer]];
    const zero = guards.length > 0 ? 0 : low;
    return code.push(
      { op: "load", dtype, access, guards, ...(index && { index }) },
      Math.min(low, zero),
      Math.max(high, zero),
    );
  }

  #loadScratch(code: Expression, row: number, inner: readonly number[]): Value {
    const { dtype, length, low, high } = this.scratch[row];
    const { offset, strides } = drawReachWithin(this.draw, inner, length);
    const access = { buffer: -1 - row, offset, strides: [...this.outer.map(() => 0), ...strides] };
    return code.push({ op: "load", dtype, access, guards: [] }, low, high);
  }

  /**
   * A matrix operand, from an input or from what an earlier kernel wrote. Rows and columns that are several digits make
   * it one of windows.
   */
  operand(
    dtype: DType,
    batch: readonly number[],
    rows: readonly number[],
    columns: readonly number[],
  ): MatrixOperand {
    const { draw } = this;
    const sizes = [...batch, ...rows, ...columns];
    const outputs = this.#readable(dtype, true).filter((number) => {
      const { low, high } = this.program.buffers[number];
      return dtype === "int32" || (low > -1e4 && high < 1e4);
    });
    let access: Access;
    let guards: Reach["guards"] = [];
    const windows = rows.length + columns.length > 2 || draw.chance(10);
    if (outputs.length > 0 && draw.chance(60)) {
      const buffer = draw.pick(outputs);
      const affine = drawReachWithin(draw, sizes, this.program.buffers[buffer].length);
      access = { ...affine, buffer: this.#use(buffer) };
    } else {
      const filling = draw.int(1, 1e6);
      const [low, high] = isFloat(dtype) ? [-4, 4] : limits(dtype);
      const buffer = this.#create({
        dtype,
        length: 0,
        low,
        high,
        filling: { seed: filling, kind: "plain" },
      });
      const reach = drawReach(draw, sizes, windows);
      access = this.#place(reach, buffer);
      guards = reach.guards;
    }
    const { buffer, offset } = access;
    const batchStrides = access.strides.slice(0, batch.length);
    const strides = access.strides.slice(batch.length);
    if (windows) {
      const window = { rows, columns, strides, guards };
      return { buffer, offset, batchStrides, rowStride: 0, columnStride: 0, window };
    }
    const [rowStride, columnStride] = strides;
    return { buffer, offset, batchStrides, rowStride, columnStride };
  }

  operandRange(operand: MatrixOperand): number {
    const { low, high } = this.program.buffers[this.buffers[operand.buffer]];
    return Math.max(Math.abs(low), Math.abs(high));
  }

  scalar(code: Expression): Value {
    const { program, draw } = this;
    const dtype = code.dtype();
    const quarters = draw.int(isFloat(dtype) ? -12 : 0, 12);
    const value = dtype === "bool" ? quarters % 2 : isFloat(dtype) ? quarters / 4 : quarters;
    program.scalars.push(value);
    this.scalars.push(program.scalarTypes.push(dtype) - 1);
    return code.push({ op: "scalar", dtype, scalar: this.scalars.length - 1 }, value, value);
  }

  index(code: Expression, inner: readonly number[]): Value {
    const strides = [...this.outer, ...inner].map(() => this.draw.int(-3, 8));
    return code.push({ op: "index", dtype: "int32", offset: this.draw.int(-5, 5), strides }, 0, 0);
  }

  /** Brings in results of earlier stages: by the last stage, all of them. */
  earlierResults(code: Expression, last: boolean): void {
    for (const result of this.#results) {
      if (!(last && !result.used) && !this.draw.chance(60)) continue;
      result.used = true;
      code.push(result.instruction, result.low, result.high);
    }
  }

  store(code: Expression, inner: readonly number[]): Store {
    const { draw } = this;
    const own = this.#inPlace.filter((place) => !place.stored && place.inner === inner.join());
    if (own.length > 0 && draw.chance(70)) {
      const place = draw.pick(own);
      place.stored = true;
      const buffer = this.program.buffers[place.buffer];
      const value = code.value(buffer.dtype);
      buffer.low = Math.min(buffer.low, value.low);
      buffer.high = Math.max(buffer.high, value.high);
      this.#written.add(place.buffer);
      return { value: value.position, access: place.access };
    }
    const value = code.choose(code.values);
    const sizes = [...this.outer, ...inner];
    // What nobody writes is unknown in the arena.
    const arena = draw.chance(25) && !sizes.includes(0);
    const reach = drawStoreReach(draw, sizes, arena);
    const buffer = this.#create({
      dtype: value.dtype,
      length: 0,
      low: Math.min(value.low, 0),
      high: Math.max(value.high, 0),
      filling: { seed: 0, kind: "zero" },
      output: true,
      arena,
    });
    this.#written.add(buffer);
    return { value: value.position, access: this.#place(reach, buffer, arena ? 0 : undefined) };
  }

  /** Writes a value to a new row of scratch. */
  keepRow(code: Expression, inner: readonly number[]): Store {
    const { dtype, low, high, position } = code.choose(code.values);
    const { strides, lowest, highest } = drawStoreReach(this.draw, inner, true);
    const empty = inner.includes(0);
    this.scratch.push({ dtype, length: empty ? 0 : highest - lowest + 1, low, high });
    const access = {
      buffer: -this.scratch.length,
      offset: -lowest,
      strides: [...this.outer.map(() => 0), ...strides],
    };
    return { value: position, access };
  }

  result(code: Expression, inner: readonly number[], reduce: ReduceOp | undefined): Result {
    const number = this.#results.filter(
      ({ instruction }) => instruction.op === "result" && instruction.stage === this.stages.length,
    ).length;
    const value = reduce === undefined ? code.choose(code.values) : code.reducible(reduce);
    const position = reduce === "argmax" || reduce === "argmin";
    const dtype = position ? "int32" : value.dtype;
    const count = inner.reduce((product, size) => product * size, 1);
    let [low, high] = limits(dtype);
    if (isFloat(dtype) && count > 0 && reduce !== "prod") {
      const times = reduce === "sum" ? count : 1;
      [low, high] = [value.low * times, value.high * times];
    }
    const instruction = { op: "result", dtype, stage: this.stages.length, result: number } as const;
    this.#results.push({ instruction, used: false, low, high });
    return { value: value.position, reduce };
  }

  finish(label: string): { builder: KernelBuilder; kernel: LoopKernel } {
    const move = (access: Access): Access =>
      access.buffer >= 0 ? access : { ...access, buffer: this.buffers.length - 1 - access.buffer };
    const stages = this.stages.map((stage) => ({
      ...stage,
      code: stage.code.map((instruction) =>
        instruction.op === "load"
          ? { ...instruction, access: move(instruction.access) }
          : instruction,
      ),
      stores: stage.stores.map(({ value, access }) => ({ value, access: move(access) })),
    }));
    const { buffers, scalars, outer } = this;
    const scratch = this.scratch.map(({ dtype, length }) => ({ dtype, length }));
    const kernel = {
      kind: "loop",
      label: [label],
      buffers,
      scalars,
      outer,
      stages,
      scratch,
    } as const;
    return { builder: this, kernel };
  }
}
