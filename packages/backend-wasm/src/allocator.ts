import { BackendError, blockBytes, Space, wholeLines } from "@gradloom/engine";
import type { LinearMemory } from "./memory.ts";

/** Memory by need. */
export class Allocator {
  readonly #memory: LinearMemory;
  readonly #start: number;
  readonly #space = new Space();
  /** How long blocks in use are, by address. */
  readonly #used = new Map<number, number>();

  /** Manages the memory from an address on. */
  constructor(memory: LinearMemory, start: number) {
    this.#memory = memory;
    this.#start = wholeLines(start);
  }

  /**
   * The address of a block of at least this size, of any content, aligned to 64.
   *
   * @throws BackendError if there is no more memory, or the size is no number.
   */
  allocate(byteLength: number): number {
    if (!(byteLength >= 0)) {
      throw new BackendError(`allocate: length must be at least 0, got ${byteLength}.`);
    }
    const bytes = blockBytes(byteLength);
    const offset = this.#space.take(bytes);
    const address = this.#start + offset;
    try {
      // Kernels may read, not write, up to a vector beyond the end of a buffer.
      this.#memory.reserve(address + bytes + 64);
    } catch (error) {
      this.#space.give(offset, bytes);
      throw error;
    }
    this.#used.set(address, bytes);
    return address;
  }

  /**
   * Gives a block back.
   *
   * @throws BackendError if there is no block in use at the address.
   */
  free(address: number): void {
    const bytes = this.#used.get(address);
    if (bytes === undefined) {
      throw new BackendError(`free: an address must be that of a block in use, got ${address}.`);
    }
    this.#used.delete(address);
    this.#space.give(address - this.#start, bytes);
  }
}
