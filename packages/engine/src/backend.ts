import type { DType, TypedArray } from "./dtype.ts";
import type { Kernel } from "./kernel.ts";

/** Memory that kernels touch. */
export interface BufferSpec {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
  /** Byte offset in the program's arena, or `undefined`: an address is given at each run. */
  readonly arenaOffset: number | undefined;
}

/** A schedule with its memory laid out: what a backend compiles. */
export interface Program {
  /** In the order of execution. */
  readonly kernels: readonly Kernel[];
  /** For each kernel: whether it must wait until all kernels before it have finished. */
  readonly barriers: readonly boolean[];
  readonly buffers: readonly BufferSpec[];
  readonly scalars: readonly DType[];
  /** Bytes of scratch memory for temporaries. Nothing in it outlives a run; programs may share it. */
  readonly arenaBytes: number;
}

/** A compiled program. */
export interface Executable {
  /**
   * Runs all kernels. What it wrote can be read once it returns.
   *
   * @param addresses - By buffer number; those of buffers in the arena are ignored.
   * @param scalars - By scalar number.
   * @param onKernel - If given, kernels run one by one, and it gets each one's number and milliseconds.
   */
  run(
    addresses: ArrayLike<number>,
    scalars: ArrayLike<number>,
    onKernel?: (kernel: number, milliseconds: number) => void,
  ): void;
  /** Gives back what it holds of the backend's memory. It is not run again. */
  dispose?(): void;
}

/** What the engine needs of the machine below it. */
export interface Backend {
  readonly name: string;
  /** Threads that kernels run on. */
  readonly numThreads: number;
  /**
   * @throws ArgumentError if `count` is not a positive integer.
   */
  setNumThreads(count: number): void;
  /**
   * Memory for `byteLength` bytes, aligned to 16, of any content.
   *
   * @throws BackendError if there is no more.
   */
  allocate(byteLength: number): number;
  /** Gives memory back. */
  free(address: number): void;
  /** Copies an array into memory. */
  write(address: number, data: TypedArray): void;
  /** Copies memory into a new array, as soon as it can be read: `length` elements from the one number `start` on. */
  read(address: number, dtype: DType, length: number, start?: number): Promise<TypedArray>;
  /** The same at once. Missing where reading has to wait. */
  readSync?(address: number, dtype: DType, length: number, start?: number): TypedArray;
  compile(program: Program): Executable;
  /** Modules or kernels compiled so far: stays the same while a loop repeats itself. */
  readonly compiledKernels: number;
  /** Bytes taken from the system at present. */
  readonly memoryBytes: number;
}
