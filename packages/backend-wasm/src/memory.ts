import { BackendError } from "@gradloom/engine";

/** Bytes of a page of WebAssembly memory. */
const pageBytes = 65536;
/** The largest memory that 32-bit addresses reach, in pages. */
export const maxPages = 65536;

/**
 * The memory of a backend. It only grows; each growth may put another buffer behind it, so its bytes are
 * seen through the views in here, never through ones that were kept.
 */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  bytes: Uint8Array = new Uint8Array(0);
  words: Int32Array = new Int32Array(0);
  floats: Float32Array = new Float32Array(0);
  doubles: Float64Array = new Float64Array(0);
  readonly #maximum: number;
  /** Counts growths: threads must look again at a memory that has grown. */
  growths: number = 0;

  constructor(shared: boolean, initialPages = 16) {
    this.shared = shared;
    [this.memory, this.#maximum] = reserveMemory(shared, initialPages);
    this.#refresh();
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  /** Makes room for addresses below `end`; by a quarter at least, so that growing stays rare. */
  reserve(end: number): void {
    if (end <= this.byteLength) return;
    const pages = this.byteLength / pageBytes;
    const needed = Math.ceil(end / pageBytes);
    const wanted = Math.min(Math.max(needed, Math.ceil(pages * 1.25)), this.#maximum);
    if (needed > this.#maximum || !(this.#grow(wanted - pages) || this.#grow(needed - pages))) {
      throw new BackendError(
        `allocate: all memory must fit into ${this.#maximum / 16384} GiB and what the system gives, got ${(end / 2 ** 20).toFixed(0)} MiB. Use a smaller batch, or keep fewer tensors.`,
      );
    }
  }

  #grow(pages: number): boolean {
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#refresh();
    this.growths++;
    return true;
  }

  #refresh(): void {
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.floats = new Float32Array(this.memory.buffer);
    this.doubles = new Float64Array(this.memory.buffer);
  }
}

/** A memory and its maximum: 4 GiB of addresses, or less where the system does not give so many. */
function reserveMemory(shared: boolean, initial: number): [WebAssembly.Memory, number] {
  for (let maximum = maxPages; ; maximum /= 2) {
    try {
      return [new WebAssembly.Memory({ initial, maximum, shared }), maximum];
    } catch (cause) {
      if (maximum > 4096) continue;
      throw new BackendError(
        `WasmBackend: the host must have 256 MiB of addresses to reserve, got ${String(cause)}.`,
      );
    }
  }
}
