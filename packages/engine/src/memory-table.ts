import type { Backend } from "./backend.ts";
import type { Box } from "./box.ts";
import { byteSize, createArray, type DType, type TypedArray } from "./dtype.ts";
import { BackendError, stateError } from "./errors.ts";
import { remember } from "./remember.ts";
import type { Storage } from "./storage.ts";

/** The budget for values in the backend's memory before anything is paged out. */
const firstBudget = 256 * 1024 * 1024;

/** Beyond this much, what was used by a settling before the last one may go as well. */
const largestBudget = 2048 * 1024 * 1024;

/** What one of so many last settlings has used is likely to be used again: a training step is one or a few. */
const recentSettlings = 8;

/** The most memory that is put aside. */
const mostSpareBytes = 32 * 1024 * 1024;

/**
 * Values of so many bytes are freed once the garbage collector has taken their boxes. Smaller ones are not worth the watching: when
 * so many have come, those that are not in use are paged out.
 */
const watchedBytes = 64 * 1024;
const manyValues = 4096;

/**
 * Which values are resident in the backend's memory. It holds where they are and not their boxes, so what nobody else holds is
 * garbage, and is freed when the collector says so. That is between two turns of the event loop, if ever. So beyond a soft budget, values
 * that no recent settling has used are paged out: their bytes go to an array on the heap, where the collector takes them also inside
 * a synchronous loop. A copy of what is garbage would be made for nothing; so the collector is asked first.
 */
export class MemoryTable {
  readonly #backend: Backend;
  /** In any order. Each knows its position, so that it can leave. */
  readonly #resident: Storage[] = [];
  readonly #boxes = new FinalizationRegistry<Storage>((storage) => {
    this.drop(storage);
    this.#allowance = 0;
  });
  #budget = firstBudget;
  /** How much may be here while the collector is asked; 0 if it was not. */
  #allowance = 0;
  #clock = 0;
  /** How many values may be here before small ones are paged out. */
  #mostValues = manyValues;
  #staged: { readonly address: number; readonly bytes: number }[] = [];
  /** Memory of values that were given back, by its size: in a loop the next one is as large. */
  readonly #spare = new Map<number, number[]>();
  #spareBytes = 0;
  bytes: number = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get count(): number {
    return this.#resident.length;
  }

  /** Starts a settling: what its runs use is not paged out before the next. */
  begin(): void {
    this.#clock += 1;
  }

  /** Where a box's value is for this run, having brought it there if need be. */
  bring(box: Box): number {
    const { storage, source } = box;
    if (source) return this.bring(source) + box.offset * byteSize[storage.dtype];
    storage.lastUse = this.#clock;
    if (storage.address !== undefined) return storage.address;
    if (box.failure !== undefined) throw box.failure;
    if (box.isReleased) {
      throw stateError`realize: ${box.name} must be read, or kept with realize(), before zeroGrad() or the next step gives it back.`;
    }
    const { host } = storage;
    if (host && !box.isState && !box.isUsed) {
      // An input is often used once, a batch: it need not stay.
      box.isUsed = true;
      const bytes = host.byteLength;
      const address = this.#allocate(bytes);
      this.#backend.write(address, host);
      this.#staged.push({ address, bytes });
      return address;
    }
    const address = this.place(box);
    if (host) this.#backend.write(address, host);
    if (box.isState) storage.host = undefined;
    if (storage.isPagedOut) {
      this.#budget += storage.bytes;
      storage.isPagedOut = false;
    }
    return address;
  }

  /** Memory for a box whose value a run is about to write. */
  place(box: Box): number {
    const { storage } = box;
    const { bytes } = storage;
    storage.lastUse = this.#clock;
    storage.address = this.#allocate(bytes);
    storage.position = this.#resident.push(storage) - 1;
    this.bytes += bytes;
    if (bytes >= watchedBytes) this.#boxes.register(box, storage, storage);
    return storage.address;
  }

  /** Memory that was put aside, or new; where there is none, what this run does not use makes room. */
  #allocate(bytes: number): number {
    const spare = this.#spare.get(bytes)?.pop();
    if (spare !== undefined) {
      this.#spareBytes -= bytes;
      return spare;
    }
    const size = Math.max(bytes, 1);
    try {
      return this.#backend.allocate(size);
    } catch {
      this.#freeSpare();
      this.#pageOut(this.#unused(1), this.bytes - 2 * size);
      return this.#backend.allocate(size);
    }
  }

  /** Ends a run: lets go of inputs that were brought for it, and keeps to the budget. */
  end(): void {
    if (this.#staged.length > 0) {
      for (const { address, bytes } of this.#staged) this.#putAside(address, bytes);
      this.#staged = [];
    }
    if (this.count > this.#mostValues) {
      this.#pageOut(
        this.#unused(recentSettlings).filter(({ bytes }) => bytes < watchedBytes),
        0,
      );
      this.#mostValues = 2 * this.count + manyValues;
    }
    if (this.bytes <= Math.max(this.#budget, this.#allowance)) return;
    const old = this.#unused(this.bytes > largestBudget ? 1 : recentSettlings);
    if (old.length === 0) return;
    if (this.#allowance === 0) {
      this.#allowance = this.bytes * 1.25;
      askCollector(old);
    } else {
      this.#allowance = 0;
      // A little further than needed, so that this does not happen in each run.
      this.#pageOut(old, this.#budget * 0.75);
    }
  }

  /** What so many settlings have not used. */
  #unused(settlings: number): Storage[] {
    return this.#resident.filter(({ lastUse }) => lastUse <= this.#clock - settlings);
  }

  /** Moves values to the heap, those not used for longest first, until no more than so many bytes are here. */
  #pageOut(values: Storage[], goal: number): void {
    for (const storage of values.sort((a, b) => a.lastUse - b.lastUse)) {
      if (this.bytes <= goal) break;
      const { address, dtype, length } = storage;
      storage.host ??= this.#download(address!, dtype, length);
      storage.isPagedOut = true;
      this.drop(storage);
    }
  }

  /** Moves all values to the heap. */
  pageOutAll(): void {
    this.#pageOut(this.#unused(0), -1);
    this.#freeSpare();
  }

  /** Gives a value's memory back, value and all. */
  drop(storage: Storage): void {
    const { address, bytes, position } = storage;
    if (address === undefined) return;
    if (bytes >= watchedBytes) this.#boxes.unregister(storage);
    this.#putAside(address, bytes);
    storage.address = undefined;
    const last = this.#resident.pop()!;
    if (last !== storage) {
      this.#resident[position] = last;
      last.position = position;
    }
    this.bytes -= bytes;
  }

  #putAside(address: number, bytes: number): void {
    if (this.#spareBytes + bytes > mostSpareBytes) this.#freeSpare();
    if (bytes > mostSpareBytes) {
      this.#backend.free(address);
      return;
    }
    remember(this.#spare, bytes, (): number[] => []).push(address);
    this.#spareBytes += bytes;
  }

  /** Gives memory that was put aside back to the backend, for values of other sizes. */
  #freeSpare(): void {
    for (const list of this.#spare.values())
      for (const address of list) this.#backend.free(address);
    this.#spare.clear();
    this.#spareBytes = 0;
  }

  /** A box's value, or a part of it, in a new array. */
  readSync(box: Box, first?: number, last?: number): TypedArray {
    return this.#part(box, first, last, (...part) => this.#download(...part));
  }

  /** The same, when the backend has it. */
  async read(box: Box, first?: number, last?: number): Promise<TypedArray> {
    return this.#part(box, first, last, (...part) => this.#backend.read(...part));
  }

  #part<T>(
    box: Box,
    first: number = 0,
    last: number = Infinity,
    read: (address: number, dtype: DType, length: number, start: number) => T,
  ): T | TypedArray {
    const { host, dtype, length } = box.storage;
    const [start, end] = [Math.max(first, 0), Math.min(last, length)];
    if (host) return host.slice(start, end);
    if (start >= end) return createArray(dtype, 0);
    return read(this.bring(box), dtype, end - start, start);
  }

  #download(address: number, dtype: DType, length: number, start?: number): TypedArray {
    const backend = this.#backend;
    if (!backend.readSync) {
      throw new BackendError(
        `read: the backend ${backend.name} cannot read at once. Use the asynchronous form (await).`,
      );
    }
    return backend.readSync(address, dtype, length, start);
  }
}

/**
 * Has the garbage collector look whether anybody holds these values. All that it goes by is how much there is on its heap: so for
 * a moment there is as much more as these have, in an array that nobody writes to, so that it takes no memory.
 */
function askCollector(values: readonly Storage[]): void {
  try {
    createArray(
      "uint8",
      values.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  } catch {
    // Where no array may be so large, it is not asked.
  }
}
