import { BackendError } from "@gradloom/engine";
import type { LinearMemory } from "./memory.ts";

/** Blocks start and end at multiples of this: a cache line. */
const alignment = 64;
/** Each power of two of sizes is divided into 2^this lists of free blocks. */
const classBits = 3;
const numClasses = 32 << classBits;

/** To whole cache lines. */
export function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

const largeBlock = 16384;
const pageBytes = 4096;

/**
 * Large blocks whose size is about a multiple of a page get some lines more. A kernel often reads several of one
 * size in step (a parameter, its moments, its gradient); at equal places in their pages they would compete for the
 * same few places in the caches.
 */
const stagger = (bytes: number): number =>
  bytes >= largeBlock && bytes % pageBytes < 1024 ? bytes + 17 * alignment : bytes;

/** A piece of memory, in a chain of all pieces by address and, while free, in the list of its class. */
interface Block {
  address: number;
  bytes: number;
  free: boolean;
  before: Block | undefined;
  behind: Block | undefined;
  previous: Block | undefined;
  next: Block | undefined;
}

/**
 * Memory by need: two-level segregated fit (Masmano et al. 2004, https://doi.org/10.1109/EMRTS.2004.1311009).
 * Free blocks are listed by size class and merge with free neighbours at once, so allocating and freeing
 * take constant time and changing sizes cannot wear the memory down to crumbs.
 */
export class Allocator {
  readonly #memory: LinearMemory;
  readonly #used = new Map<number, Block>();
  readonly #lists: (Block | undefined)[] = new Array(numClasses).fill(undefined);
  /** A bit for each list that is not empty. */
  readonly #occupied = new Int32Array(numClasses / 32);
  /** The block with the highest address. */
  #last: Block | undefined;
  #end: number;

  /** Manages the memory from an address on. */
  constructor(memory: LinearMemory, start: number) {
    this.#memory = memory;
    this.#end = roundUp(start);
  }

  /**
   * The address of a block of at least this size, of any content, aligned to 64.
   *
   * @throws BackendError if there is no more memory.
   */
  allocate(byteLength: number): number {
    if (!(byteLength >= 0 && byteLength <= 2 ** 32)) {
      throw new BackendError(`allocate: a size must be in [0, 2³²] bytes, got ${byteLength}.`);
    }
    const bytes = stagger(Math.max(roundUp(byteLength), alignment));
    const block = this.#take(bytes) ?? this.#extend(bytes);
    block.free = false;
    if (block.bytes > bytes) this.#split(block, bytes);
    this.#used.set(block.address, block);
    return block.address;
  }

  /**
   * Gives a block back.
   *
   * @throws BackendError if there is no block in use at the address.
   */
  free(address: number): void {
    let block = this.#used.get(address);
    if (block === undefined) {
      throw new BackendError(`free: an address must be that of a block in use, got ${address}.`);
    }
    this.#used.delete(address);
    const { before, behind } = block;
    if (behind?.free) {
      this.#unlist(behind);
      this.#join(block, behind);
    }
    if (before?.free) {
      this.#unlist(before);
      this.#join(before, block);
      block = before;
    }
    this.#list(block);
  }

  /** A free block of a class all of whose blocks are large enough, taken from its list. */
  #take(bytes: number): Block | undefined {
    // Rounded up to the class's upper limit, so that any block of the class found will do.
    let index = classOf(bytes + (stepOf(bytes) - alignment));
    let word = index >>> 5;
    let bits = index < numClasses ? this.#occupied[word] & (-1 << (index & 31)) : 0;
    while (bits === 0) {
      if (++word >= this.#occupied.length) return undefined;
      bits = this.#occupied[word];
    }
    index = word * 32 + 31 - Math.clz32(bits & -bits);
    const block = this.#lists[index] as Block;
    this.#unlist(block);
    return block;
  }

  /** A block at the end of what has been given out so far. */
  #extend(bytes: number): Block {
    const open = this.#last?.free ? this.#last : undefined;
    const start = open ? open.address : this.#end;
    // Kernels may read, not write, up to a vector beyond the end of a buffer.
    this.#memory.reserve(start + bytes + alignment);
    if (open) {
      this.#unlist(open);
      open.bytes = bytes;
      this.#end = start + bytes;
      return open;
    }
    const block = newBlock(start, bytes, this.#last, undefined);
    if (this.#last) this.#last.behind = block;
    this.#last = block;
    this.#end = start + bytes;
    return block;
  }

  #split(block: Block, bytes: number): void {
    const rest = newBlock(block.address + bytes, block.bytes - bytes, block, block.behind);
    if (block.behind) block.behind.before = rest;
    else this.#last = rest;
    block.behind = rest;
    block.bytes = bytes;
    this.#list(rest);
  }

  /** Appends the block behind. */
  #join(block: Block, behind: Block): void {
    block.bytes += behind.bytes;
    block.behind = behind.behind;
    if (behind.behind) behind.behind.before = block;
    else this.#last = block;
  }

  #list(block: Block): void {
    const index = classOf(block.bytes);
    const head = this.#lists[index];
    block.free = true;
    block.previous = undefined;
    block.next = head;
    if (head) head.previous = block;
    this.#lists[index] = block;
    this.#occupied[index >>> 5] |= 1 << (index & 31);
  }

  #unlist(block: Block): void {
    const index = classOf(block.bytes);
    if (block.next) block.next.previous = block.previous;
    if (block.previous) block.previous.next = block.next;
    else {
      this.#lists[index] = block.next;
      if (!block.next) this.#occupied[index >>> 5] &= ~(1 << (index & 31));
    }
    block.free = false;
    block.previous = undefined;
    block.next = undefined;
  }
}

function newBlock(
  address: number,
  bytes: number,
  before: Block | undefined,
  behind: Block | undefined,
): Block {
  return { address, bytes, free: false, before, behind, previous: undefined, next: undefined };
}

/** How far apart the class limits around a size are, in bytes. */
function stepOf(bytes: number): number {
  const exponent = 31 - Math.clz32(bytes / alignment);
  return alignment * 2 ** Math.max(exponent - classBits, 0);
}

/** The class of a size: its power of two, then the bits below the highest one. */
function classOf(bytes: number): number {
  const units = bytes / alignment;
  const exponent = 31 - Math.clz32(units);
  const bits =
    exponent <= classBits ? units << (classBits - exponent) : units >>> (exponent - classBits);
  return (exponent << classBits) + (bits & ((1 << classBits) - 1));
}
