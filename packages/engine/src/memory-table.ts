import type { Backend } from "./backend.ts";
import type { Box } from "./box.ts";
import { byteSize, createArray, type TypedArray } from "./dtype.ts";
import { BackendError, StateError } from "./errors.ts";

/** The budget for values in the backend's memory before anything is paged out. */
const firstBudget = 256 * 1024 * 1024;

/** Beyond this much, what was used by a settling before the last one may go as well. */
const largestBudget = 2048 * 1024 * 1024;

/** What one of so many last settlings has used is likely to be used again: a training step is one or a few. */
const recentSettlings = 8;

/** The most memory that is put aside. */
const mostSpareBytes = 32 * 1024 * 1024;

/** Positions that the box has. */
function within(box: Box, start: number, end: number): [start: number, end: number] {
  return [Math.max(start, 0), Math.min(end, box.length)];
}

/** Bytes of a box's value. */
function bytesOfBox(box: Box): number {
  return box.length * byteSize[box.dtype];
}

/**
 * Which boxes are resident in the backend's memory. Beyond a soft budget, those that no recent settling has used are
 * paged out: their bytes go to an array on the heap, where the garbage collector takes what nobody
 * holds.
 */
export class MemoryTable {
  readonly #backend: Backend;
  /** In any order. Each box knows its position, so that it can leave. */
  readonly #resident: Box[] = [];
  #budget = firstBudget;
  #clock = 0;
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
    box.lastUse = this.#clock;
    if (box.address !== undefined) return box.address;
    if (box.failure !== undefined) throw box.failure;
    if (box.isReleased) {
      throw new StateError(
        `realize: the value of ${box.name} was given back by zeroGrad(). Read a gradient, or keep it with realize(), before that.`,
      );
    }
    const { host } = box;
    if (host !== undefined && !box.isState && !box.isUsed) {
      // An input is often used once, a batch: it need not stay.
      box.isUsed = true;
      const bytes = host.byteLength;
      const address = this.#allocate(bytes);
      this.#backend.write(address, host);
      this.#staged.push({ address, bytes });
      return address;
    }
    const address = this.place(box);
    if (host !== undefined) this.#backend.write(address, host);
    if (box.isState) box.host = undefined;
    if (box.isPagedOut) {
      this.#budget += bytesOfBox(box);
      box.isPagedOut = false;
    }
    return address;
  }

  /** Memory for a box whose value a run is about to write. */
  place(box: Box): number {
    box.lastUse = this.#clock;
    const bytes = bytesOfBox(box);
    box.address = this.#allocate(bytes);
    box.position = this.#resident.push(box) - 1;
    this.bytes += bytes;
    return box.address;
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
      const others = this.#resident.filter(({ lastUse }) => lastUse < this.#clock);
      this.#pageOut(others, this.bytes - 2 * size);
      return this.#backend.allocate(size);
    }
  }

  /** Ends a run: lets go of inputs that were brought for it, and keeps to the budget. */
  end(): void {
    if (this.#staged.length > 0) {
      for (const { address, bytes } of this.#staged) this.#putAside(address, bytes);
      this.#staged = [];
    }
    if (this.bytes <= this.#budget) return;
    const recent = this.bytes > largestBudget ? 1 : recentSettlings;
    const old = this.#resident.filter((box) => box.lastUse <= this.#clock - recent);
    // A little further than needed, so that this does not happen in each run.
    this.#pageOut(old, this.#budget * 0.75);
  }

  /** Moves values to the heap, those not used for longest first, until no more than so many bytes are here. */
  #pageOut(boxes: Box[], goal: number): void {
    for (const box of boxes.sort((a, b) => a.lastUse - b.lastUse)) {
      if (this.bytes <= goal) break;
      this.pageOut(box);
    }
  }

  /** Moves a value to the heap. */
  pageOut(box: Box): void {
    box.host ??= this.readSync(box);
    box.isPagedOut = true;
    this.drop(box);
  }

  /** Moves all values to the heap. */
  pageOutAll(): void {
    for (const box of [...this.#resident]) this.pageOut(box);
    this.#freeSpare();
  }

  /** Gives a box's memory back, value and all. */
  drop(box: Box): void {
    if (box.address === undefined) return;
    const bytes = bytesOfBox(box);
    this.#putAside(box.address, bytes);
    box.address = undefined;
    const last = this.#resident.pop()!;
    if (last !== box) {
      this.#resident[box.position] = last;
      last.position = box.position;
    }
    this.bytes -= bytes;
  }

  #putAside(address: number, bytes: number): void {
    if (this.#spareBytes + bytes > mostSpareBytes) this.#freeSpare();
    if (bytes > mostSpareBytes) {
      this.#backend.free(address);
      return;
    }
    const list = this.#spare.get(bytes);
    if (list === undefined) this.#spare.set(bytes, [address]);
    else list.push(address);
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
  readSync(box: Box, first: number = 0, last: number = box.length): TypedArray {
    const [start, end] = within(box, first, last);
    if (box.host !== undefined) return box.host.slice(start, end);
    if (start >= end) return createArray(box.dtype, 0);
    const address = this.bring(box);
    if (this.#backend.readSync === undefined) {
      throw new BackendError(
        `read: the backend ${this.#backend.name} cannot read at once. Use the asynchronous form (await).`,
      );
    }
    return this.#backend.readSync(address, box.dtype, end - start, start);
  }

  /** The same, when the backend has it. */
  async read(box: Box, first: number = 0, last: number = box.length): Promise<TypedArray> {
    const [start, end] = within(box, first, last);
    if (box.host !== undefined) return box.host.slice(start, end);
    if (start >= end) return createArray(box.dtype, 0);
    return this.#backend.read(this.bring(box), box.dtype, end - start, start);
  }
}
