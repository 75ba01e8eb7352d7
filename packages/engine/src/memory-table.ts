import type { Backend } from "./backend.ts";
import type { Box } from "./box.ts";
import { byteSize, createArray, type TypedArray } from "./dtype.ts";
import { BackendError, StateError } from "./errors.ts";

/** The budget for values in the backend's memory before anything is paged out. */
const firstBudget = 256 * 1024 * 1024;

/** Bytes of a box's value. */
function bytesOfBox(box: Box): number {
  return box.length * byteSize[box.dtype];
}

/**
 * Which boxes are resident in the backend's memory. Beyond a soft budget, those not used for longest are
 * paged out: their bytes go to an array on the heap, where the garbage collector takes what nobody
 * holds.
 */
export class MemoryTable {
  private readonly backend: Backend;
  private readonly resident = new Set<Box>();
  private budget = firstBudget;
  private clock = 0;
  private staged: number[] = [];
  bytes: number = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  get count(): number {
    return this.resident.size;
  }

  /** Starts a run: what is used from now on is not paged out before the next. */
  begin(): void {
    this.clock += 1;
  }

  /** Where a box's value is for this run, having brought it there if need be. */
  bring(box: Box): number {
    box.lastUse = this.clock;
    if (box.address !== undefined) return box.address;
    if (box.isReleased) {
      throw new StateError(
        `realize: the value of ${box.name} was given back by zeroGrad(). Read a gradient, or keep it with realize(), before that.`,
      );
    }
    const { host } = box;
    if (host !== undefined && !box.isState && !box.isUsed) {
      // An input is often used once, a batch: it need not stay.
      box.isUsed = true;
      const address = this.backend.allocate(Math.max(host.byteLength, 1));
      this.backend.write(address, host);
      this.staged.push(address);
      return address;
    }
    const address = this.place(box);
    if (host !== undefined) this.backend.write(address, host);
    if (box.isState) box.host = undefined;
    if (box.isPagedOut) {
      this.budget += bytesOfBox(box);
      box.isPagedOut = false;
    }
    return address;
  }

  /** Memory for a box whose value a run is about to write. */
  place(box: Box): number {
    box.lastUse = this.clock;
    box.address = this.backend.allocate(Math.max(bytesOfBox(box), 1));
    this.resident.add(box);
    this.bytes += bytesOfBox(box);
    return box.address;
  }

  /** Ends a run: lets go of inputs that were brought for it, and keeps to the budget. */
  end(): void {
    for (const address of this.staged) this.backend.free(address);
    this.staged = [];
    if (this.bytes <= this.budget) return;
    // A little further than needed, so that this does not happen in each run.
    const goal = this.budget * 0.75;
    for (const box of [...this.resident].sort((a, b) => a.lastUse - b.lastUse)) {
      if (this.bytes <= goal || box.lastUse === this.clock) break;
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
    for (const box of [...this.resident]) this.pageOut(box);
  }

  /** Gives a box's memory back, value and all. */
  drop(box: Box): void {
    if (box.address === undefined) return;
    this.backend.free(box.address);
    box.address = undefined;
    this.resident.delete(box);
    this.bytes -= bytesOfBox(box);
  }

  /** A box's value in a new array. */
  readSync(box: Box): TypedArray {
    if (box.host !== undefined) return box.host.slice();
    if (box.length === 0) return createArray(box.dtype, 0);
    const address = this.bring(box);
    if (this.backend.readSync === undefined) {
      throw new BackendError(
        `read: the backend ${this.backend.name} cannot read at once. Use the asynchronous form (await).`,
      );
    }
    return this.backend.readSync(address, box.dtype, box.length);
  }

  /** The same, when the backend has it. */
  async read(box: Box): Promise<TypedArray> {
    if (box.host !== undefined) return box.host.slice();
    if (box.length === 0) return createArray(box.dtype, 0);
    return this.backend.read(this.bring(box), box.dtype, box.length);
  }
}
