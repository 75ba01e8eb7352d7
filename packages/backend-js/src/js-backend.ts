import {
  argumentError,
  type Backend,
  BackendError,
  byteSize,
  type DType,
  type Executable,
  type Program,
  type TypedArray,
  viewArray,
} from "@gradloom/engine";
import { compileKernel } from "./kernels.ts";

// The clock of browsers, workers and Node; the library of plain ES2022 does not declare it.
declare const performance: { now(): number };

/**
 * The reference backend: plain loops, one thread. It is the oracle of every property test, so it prefers
 * the exact answer to the fast one: element operations are computed in double precision and rounded to
 * their dtype, reductions and products of matrices are summed in double precision and rounded
 * once. An access outside its buffer is an error.
 */
export class JsBackend implements Backend {
  readonly name = "js";
  /** Always 1. */
  readonly numThreads = 1;
  #compiledKernels = 0;
  #memoryBytes = 0;
  // Addresses count up and never come back, so one that was freed is not mistaken for another.
  #nextAddress = 16;
  readonly #allocations = new Map<number, ArrayBuffer>();
  /** Shared by all programs: nothing in it outlives a run. */
  #arena = new ArrayBuffer(0);
  readonly #check: (program: Program) => void;

  /**
   * @param check - Refuses programs before they are compiled, as `checkProgram` does; tests pass that. Default:
   * none, since the engine makes no wrong ones.
   */
  constructor(check: (program: Program) => void = () => {}) {
    this.#check = check;
  }

  get compiledKernels(): number {
    return this.#compiledKernels;
  }

  get memoryBytes(): number {
    return this.#memoryBytes + this.#arena.byteLength;
  }

  /**
   * Checks the count; there is one thread whatever it is.
   *
   * @throws ArgumentError if `count` is not a positive integer.
   */
  setNumThreads(count: number): void {
    if (!Number.isInteger(count) || count < 1) {
      throw argumentError`setNumThreads: count must be a positive integer, got ${count}.`;
    }
  }

  allocate(byteLength: number): number {
    const address = this.#nextAddress;
    this.#allocations.set(address, createBuffer(byteLength));
    this.#nextAddress += Math.ceil((byteLength + 1) / 16) * 16;
    this.#memoryBytes += byteLength;
    return address;
  }

  free(address: number): void {
    this.#memoryBytes -= this.#buffer("free", address).byteLength;
    this.#allocations.delete(address);
  }

  write(address: number, data: TypedArray): void {
    const target = this.#bytes("write", address, data.byteLength);
    target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  async read(address: number, dtype: DType, length: number, start?: number): Promise<TypedArray> {
    return this.readSync(address, dtype, length, start);
  }

  readSync(address: number, dtype: DType, length: number, start: number = 0): TypedArray {
    const end = (start + length) * byteSize[dtype];
    const copy = this.#bytes("read", address, end).slice(start * byteSize[dtype]);
    return viewArray(dtype, copy.buffer, 0, length);
  }

  compile(program: Program): Executable {
    this.#check(program);
    const kernels = program.kernels.map(compileKernel);
    const used = new Set(program.kernels.flatMap(({ buffers }) => buffers));
    this.#compiledKernels += kernels.length;
    return {
      run: (addresses, scalars, onKernel) => {
        if (this.#arena.byteLength < program.arenaBytes) {
          this.#arena = createBuffer(program.arenaBytes);
        }
        const arrays = new Map<number, TypedArray>();
        for (const buffer of used) arrays.set(buffer, this.#view(program, buffer, addresses));
        kernels.forEach((kernel, number) => {
          const description = program.kernels[number];
          const start = performance.now();
          kernel(
            description.buffers.map((buffer) => arrays.get(buffer) as TypedArray),
            description.scalars.map((scalar) => scalars[scalar]),
          );
          onKernel?.(number, performance.now() - start);
        });
      },
    };
  }

  /** A program's buffer, as it is in memory. */
  #view(program: Program, buffer: number, addresses: ArrayLike<number>): TypedArray {
    const { dtype, length, arenaOffset } = program.buffers[buffer];
    if (arenaOffset !== undefined) return viewArray(dtype, this.#arena, arenaOffset, length);
    const bytes = this.#bytes("run", addresses[buffer], length * byteSize[dtype]);
    return viewArray(dtype, bytes.buffer, bytes.byteOffset, length);
  }

  /** Bytes of an allocation, from its address on or from one inside of it. */
  #bytes(op: string, address: number, byteLength: number): Uint8Array<ArrayBuffer> {
    let start = address;
    if (!this.#allocations.has(address)) {
      for (const other of this.#allocations.keys()) if (other < address) start = other;
    }
    const buffer = this.#buffer(op, start);
    if (address - start + byteLength > buffer.byteLength) {
      throw new BackendError(
        `${op}: ${byteLength} bytes must fit at address ${address}, got an allocation of ` +
          `${buffer.byteLength}.`,
      );
    }
    return new Uint8Array(buffer, address - start, byteLength);
  }

  #buffer(op: string, address: number): ArrayBuffer {
    const buffer = this.#allocations.get(address);
    if (!buffer) {
      throw new BackendError(`${op}: the address must be allocated, got ${address}.`);
    }
    return buffer;
  }
}

function createBuffer(byteLength: number): ArrayBuffer {
  try {
    return new ArrayBuffer(byteLength);
  } catch {
    throw new BackendError(`allocate: ${byteLength} bytes must be available, but are not.`);
  }
}
