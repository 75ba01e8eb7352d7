import type { DType } from "./dtype.ts";
import type { ElementOp, ReduceOp } from "./element-op.ts";

/**
 * An affine expression of the loops around it, `offset + Σ strides[i] · loop[i]`. The loops of a stage
 * are the kernel's outer loops followed by the stage's inner loops; there is a stride for each.
 */
export interface Affine {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Holds when `0 <= offset + Σ strides[i] · loop[i] < size`. */
export interface Guard extends Affine {
  readonly size: number;
}

/** An element of a buffer: which one, counted in elements from the buffer's start. */
export interface Access extends Affine {
  /** The position in the kernel's `buffers`, or behind those in its `scratch`. */
  readonly buffer: number;
}

/** Reads an element, or gives `outside`, else 0, without reading if one of the guards does not hold. */
export interface LoadInstruction {
  readonly op: "load";
  readonly dtype: DType;
  readonly access: Access;
  readonly guards: readonly Guard[];
  readonly outside?: number | undefined;
  /**
   * A gather: the element lies `stride` times the value of an earlier instruction further on. That one is an int32 whose
   * range has been checked.
   */
  readonly index?: { readonly value: number; readonly stride: number } | undefined;
}

/**
 * The int32 given by an earlier instruction, if it is at least 0 and less than `size`; else 0, and the run fails with an
 * `IndexError` that names the operation (`operationName(name)`), the value and `size`.
 */
export interface CheckInstruction {
  readonly op: "check";
  readonly dtype: "int32";
  readonly arg: number;
  readonly size: number;
  readonly name: number;
}

/**
 * Combines the values of an earlier instruction at all points of the stage's inner loop up to this one. A stage that
 * scans has one inner loop, which runs in order.
 */
export interface ScanInstruction {
  readonly op: "scan";
  readonly dtype: DType;
  readonly arg: number;
  readonly reduce: "sum" | "prod";
}

/** The value of an affine expression of the loops. */
export interface IndexInstruction extends Affine {
  readonly op: "index";
  readonly dtype: "int32";
}

/** A literal. */
export interface ConstantInstruction {
  readonly op: "constant";
  readonly dtype: DType;
  readonly value: number;
}

/** A number that is given at each run: the position in the kernel's `scalars`. */
export interface ScalarInstruction {
  readonly op: "scalar";
  readonly dtype: DType;
  readonly scalar: number;
}

/** A result of an earlier stage of the same row. */
export interface ResultInstruction {
  readonly op: "result";
  readonly dtype: DType;
  readonly stage: number;
  readonly result: number;
}

/** The sum of products that a contraction has computed for this point. In its epilogue only. */
export interface ProductInstruction {
  readonly op: "product";
  readonly dtype: DType;
}

/** An element operation on earlier instructions of the same stage, given by their positions. */
export interface ElementInstruction {
  readonly op: ElementOp;
  readonly dtype: DType;
  readonly args: readonly number[];
  /** For `philox`: which of its four words, 0 to 3. */
  readonly word?: number | undefined;
}

/** One step of a stage's straight-line code; its value is named by its position. */
export type Instruction =
  | LoadInstruction
  | IndexInstruction
  | ConstantInstruction
  | ScalarInstruction
  | ResultInstruction
  | ProductInstruction
  | CheckInstruction
  | ScanInstruction
  | ElementInstruction;

/** Writes a value to a buffer. */
export interface Store {
  readonly value: number;
  readonly access: Access;
}

/**
 * What a stage leaves behind for later stages of the same row: a value combined over the stage's
 * inner loops, or, where there are none, the value itself. `argmax` and `argmin` combine to an `int32`:
 * the position of the first extreme in the inner loops, counted in row-major order; NaN counts as
 * the extreme.
 */
export interface Result {
  readonly value: number;
  readonly reduce: ReduceOp | undefined;
}

/** Loops over the inner sizes, runs the code at each point, stores and combines. */
export interface Stage {
  /** Sizes of the inner loops, outermost first. None: the stage runs once a row. */
  readonly inner: readonly number[];
  readonly code: readonly Instruction[];
  readonly stores: readonly Store[];
  readonly results: readonly Result[];
}

interface KernelCommon {
  /** The program's buffers that this kernel touches; `Access.buffer` is a position in here. */
  readonly buffers: readonly number[];
  /** The program's scalars that this kernel reads; `ScalarInstruction.scalar` is a position in here. */
  readonly scalars: readonly number[];
  /** The names of the recorded operations that were fused into this kernel, for people. */
  readonly label: readonly string[];
}

/**
 * Map, reduction, or a row pattern such as softmax. For each point of the outer loops, which may run
 * in any order and in parallel, the stages run one after the other.
 */
export interface LoopKernel extends KernelCommon {
  readonly kind: "loop";
  /** Sizes of the outer loops, outermost first. */
  readonly outer: readonly number[];
  readonly stages: readonly Stage[];
  /**
   * Rows that live from stage to stage: memory of a thread's own, at least this long. An access to
   * one has stride 0 for every outer loop.
   */
  readonly scratch: readonly { readonly dtype: DType; readonly length: number }[];
}

/** A matrix, or a batch of them, in a buffer: strides in elements, in the order batch, row, column. */
export interface MatrixOperand {
  readonly buffer: number;
  readonly offset: number;
  readonly batchStrides: readonly number[];
  readonly rowStride: number;
  readonly columnStride: number;
  /** Set for a matrix that has no strides of its own; `rowStride` and `columnStride` are then 0. */
  readonly window?: Window;
}

/**
 * The elements of a matrix whose row and column numbers have several digits, as in the matrix of all windows of a
 * picture: row `r` has the digits `r = (r₀ · rows[1] + r₁) · rows[2] + …`, columns likewise.
 */
export interface Window {
  /** Sizes of the digits, outermost first. Their product is the number of rows (columns). */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** A stride for each digit, of rows, then of columns. The offset and batch strides are the operand's. */
  readonly strides: readonly number[];
  /** Where one does not hold, the element is 0 and is not read. Loops: batch, digits of rows, digits of columns. */
  readonly guards: readonly Guard[];
}

/**
 * Groups of rows or of terms, one behind the other, as many as the batch has matrices: group `g` goes from `bounds[g]` to
 * `bounds[g + 1]`. The bounds are known at run time: they rise from 0 to at most the number of rows (terms).
 *
 * - `rows`: matrix `g` has the rows of group `g` alone, and no others are computed. Rows behind the last group are 0.
 * - `terms`: product `g` adds up the terms of group `g` alone.
 */
export interface ProductGroups {
  readonly along: "rows" | "terms";
  /** A position in the kernel's `buffers`: int32, from its start. */
  readonly bounds: number;
}

/**
 * `product[batch, i, j] = Σ_p a[batch, i, p] · b[batch, p, j]`, then the epilogue at each point. The loops of
 * the epilogue are `[...batch, m, n]`; it has no inner loops and no results.
 */
export interface MatmulKernel extends KernelCommon {
  readonly kind: "matmul";
  readonly dtype: DType;
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: MatrixOperand;
  readonly b: MatrixOperand;
  /** Of float32 only, and the batch is one loop. */
  readonly groups?: ProductGroups;
  readonly epilogue: Stage;
}

/**
 * For each point of the outer loops: sets a row of `size` elements to 0, then, at each point of the stage's inner loops
 * in order, combines the value into the element at the index. Several points may name the same element; the order in which
 * they are combined is that of the inner loops, for any number of threads.
 */
export interface ScatterKernel extends KernelCommon {
  readonly kind: "scatter";
  readonly dtype: DType;
  /** `max` of a row that starts as 0. */
  readonly combine: "sum" | "max";
  /** Sizes of the outer loops, outermost first. They may run in any order and in parallel. */
  readonly outer: readonly number[];
  /** Elements of a row. */
  readonly size: number;
  /** No stores and no results: `index` and `value` are positions in its code. The index has been checked. */
  readonly stage: Stage;
  readonly index: number;
  readonly value: number;
  /** Where the element of a row is. Its loops are the outer ones, then the position in the row. */
  readonly target: Access;
}

/**
 * For each point of the outer loops: the positions (int32) of the first `count` elements of a row of `size` in sorted
 * order. Equal elements stay in order; NaN is greater than all others.
 */
export interface SortKernel extends KernelCommon {
  readonly kind: "sort";
  readonly dtype: DType;
  readonly descending: boolean;
  readonly outer: readonly number[];
  readonly size: number;
  readonly count: number;
  /** Where the elements are, and where the positions go. Loops: the outer ones, then the position in the row. */
  readonly source: Access;
  readonly target: Access;
}

/** Where a buffer of a repeated kernel is, in elements of `dtype`. */
export interface Slot {
  readonly dtype: DType;
  readonly length: number;
  /** The position in the repeat kernel's `buffers`. */
  readonly buffer: number;
  /** In repetition `t` it starts at element `offset + step · ((t + shift) mod period)`. */
  readonly offset: number;
  readonly step: number;
  readonly shift: number;
  readonly period: number;
  /** The position in `buffers` of what takes its place in the first repetition: a carried value's first value. */
  readonly initial?: number;
}

/** Kernels that are run `count` times, in order. Those may be repeat kernels, too. */
export interface RepeatKernel extends KernelCommon {
  readonly kind: "repeat";
  readonly count: number;
  readonly kernels: readonly Kernel[];
  /** For each of them: whether it must wait until all kernels before it have finished. The first always must. */
  readonly barriers: readonly boolean[];
  /** What the kernels' `buffers` number. */
  readonly slots: readonly Slot[];
  /** Positions in `buffers` of those that are written. */
  readonly writes: readonly number[];
}

/** What a backend turns into code. */
export type Kernel = LoopKernel | MatmulKernel | ScatterKernel | SortKernel | RepeatKernel;

/** Sizes of the loops around a kernel's stages. */
export function loopsOf(kernel: Kernel): readonly number[] {
  if (kernel.kind === "matmul") return [...kernel.batch, kernel.m, kernel.n];
  return kernel.kind === "repeat" ? [] : kernel.outer;
}

/** The straight-line code of a kernel, in the order in which it runs. */
export function stagesOf(kernel: Kernel): readonly Stage[] {
  switch (kernel.kind) {
    case "loop":
      return kernel.stages;
    case "matmul":
      return [kernel.epilogue];
    case "scatter":
      return [kernel.stage];
    case "sort":
    case "repeat":
      return [];
    default:
      throw kernel satisfies never;
  }
}

/** A stage whose affine expressions are others. */
export function withAffines<S extends Pick<Stage, "code" | "stores">>(
  stage: S,
  change: <T extends Affine>(affine: T) => T,
): S {
  return {
    ...stage,
    code: stage.code.map((instruction): Instruction => {
      if (instruction.op === "index") return change(instruction);
      if (instruction.op !== "load") return instruction;
      const { access, guards } = instruction;
      return { ...instruction, access: change(access), guards: guards.map(change) };
    }),
    stores: stage.stores.map((store) => ({ ...store, access: change(store.access) })),
  };
}

/** The digits of an operand's rows and columns, of which there are so many: one each, unless it is made of windows. */
export function windowIn(operand: MatrixOperand, rows: number, columns: number): Window {
  const { rowStride, columnStride, window } = operand;
  const strides = [rowStride, columnStride];
  return window ?? { rows: [rows], columns: [columns], strides, guards: [] };
}
