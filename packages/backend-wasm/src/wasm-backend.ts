import {
  argumentError,
  type Backend,
  BackendError,
  byteSize,
  createArray,
  type DType,
  type Executable,
  type Program,
  type TypedArray,
  viewArray,
} from "@gradloom/engine";
import { maxThreads } from "./control-block.ts";
import { detectFeatures, hasSimd } from "./features.ts";
import { WasmMachine } from "./machine.ts";
import { compileProgram } from "./repeating-executable.ts";
import { hardwareThreads } from "./worker.ts";

/** Options of {@link WasmBackend}. */
export interface WasmBackendOptions {
  /** Default: as many as the machine runs at once, eight at most. */
  readonly threads?: number;
  /** Fused multiply-add, which rounds once instead of twice. Default: where the host has it. */
  readonly relaxedSimd?: boolean;
  /**
   * Products of matrices on vectors of 256 bits, in Node 24 and later on x64. V8's experimental flag
   * `--experimental-wasm-revectorize` is on while their code is compiled, some milliseconds. Default: `false`.
   */
  readonly wideSimd?: boolean;
}

/**
 * Runs programs in WebAssembly that is written at run time, with 128-bit SIMD and threads. Results are the same, to
 * the last bit, for any number of threads.
 *
 * @throws BackendError if the host has no WebAssembly with SIMD; `isSupported()` tells. And if it has no `wideSimd` that is asked for.
 */
export class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly #machine: WasmMachine;

  constructor(options: WasmBackendOptions = {}) {
    if (!hasSimd()) {
      throw new BackendError("WasmBackend: the host must have WebAssembly with SIMD, got none.");
    }
    const detected = detectFeatures(options.wideSimd);
    const threads = options.threads ?? Math.min(hardwareThreads(), 8);
    checkThreads("WasmBackend", threads);
    this.#machine = new WasmMachine(
      { ...detected, relaxedSimd: detected.relaxedSimd && options.relaxedSimd !== false },
      detected.sharedMemory ? threads : 1,
    );
  }

  get numThreads(): number {
    return this.#machine.numThreads;
  }

  /** Where memory cannot be shared, there is one thread whatever is asked for. */
  setNumThreads(count: number): void {
    checkThreads("setNumThreads", count);
    if (!this.#machine.features.sharedMemory) return;
    this.#machine.numThreads = count;
  }

  get compiledKernels(): number {
    return this.#machine.library.compiled;
  }

  get memoryBytes(): number {
    return this.#machine.memory.byteLength;
  }

  allocate(byteLength: number): number {
    return this.#machine.allocator.allocate(byteLength);
  }

  free(address: number): void {
    this.#machine.allocator.free(address);
  }

  write(address: number, data: TypedArray): void {
    const { bytes, words, floats, doubles } = this.#machine.memory;
    const place = address / data.BYTES_PER_ELEMENT;
    // Not as bytes: asking a small array for its buffer makes one, which costs more than the copy.
    if (data instanceof Float32Array) floats.set(data, place);
    else if (data instanceof Int32Array) words.set(data, place);
    else if (data instanceof Float64Array) doubles.set(data, place);
    else bytes.set(data, place);
  }

  read(address: number, dtype: DType, length: number, start?: number): Promise<TypedArray> {
    return Promise.resolve(this.readSync(address, dtype, length, start));
  }

  readSync(address: number, dtype: DType, length: number, start: number = 0): TypedArray {
    const array = createArray(dtype, length);
    const place = address + start * byteSize[dtype];
    array.set(viewArray(dtype, this.#machine.memory.memory.buffer, place, length));
    return array;
  }

  compile(program: Program): Executable {
    return compileProgram(program, this.#machine);
  }

  /** Ends the threads. The backend can still be used: they start again when they are needed. */
  dispose(): void {
    this.#machine.dispose();
  }
}

/** Whether the host can run {@link WasmBackend}. */
export function isSupported(): boolean {
  return hasSimd();
}

function checkThreads(op: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= maxThreads) return;
  throw argumentError`${op}: the number of threads must be an integer in [1, ${maxThreads}], got ${count}.`;
}
