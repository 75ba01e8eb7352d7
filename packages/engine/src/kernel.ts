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

/** Reads an element, or gives 0 without reading if one of the guards does not hold. */
export interface LoadInstruction {
  readonly op: "load";
  readonly dtype: DType;
  readonly access: Access;
  readonly guards: readonly Guard[];
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
  readonly word?: number;
}

/** One step of a stage's straight-line code; its value is named by its position. */
export type Instruction =
  | LoadInstruction
  | IndexInstruction
  | ConstantInstruction
  | ScalarInstruction
  | ResultInstruction
  | ProductInstruction
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
  readonly epilogue: Stage;
}

/** What a backend turns into code. */
export type Kernel = LoopKernel | MatmulKernel;
