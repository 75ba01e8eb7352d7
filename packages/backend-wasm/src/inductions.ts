import { type Access, type Affine, byteSize, type DType, type Guard } from "@gradloom/engine";
import type { KernelFrame } from "./kernel-frame.ts";
import type { LaneAddress } from "./lanes.ts";
import type { Value } from "./vector-writer.ts";

/** Lanes of the largest block of neighbouring rows; scratch rows are that many side by side then. */
export const blockLanes = 16;
/** Lanes of the largest block of as many neighbours as this, if there are no scratch rows. */
export const wideBlock = 32;
export const wideRow = 256;

/**
 * An affine expression that is kept in a local and increased from iteration to iteration: an address,
 * a value of a guard, or an index.
 */
interface Induction {
  /** A local with what it starts from. */
  readonly base: number | undefined;
  /** What one unit of the affine expression counts: the bytes of an element, or 1. */
  readonly unit: number;
  readonly affine: Affine;
  /** The local with the value at the loops' present positions. */
  local: number;
}

/** All affine expressions of a stage: addresses, guards and indices, at the present positions of its loops. */
export class Inductions {
  readonly #frame: KernelFrame;
  /** The loop along which the lanes lie, or -1. */
  readonly #laneLoop: number;
  readonly #all = new Map<string, Induction>();

  constructor(frame: KernelFrame, laneLoop: number) {
    this.#frame = frame;
    this.#laneLoop = laneLoop;
  }

  /** How much an expression grows from a lane to the next, in elements if it is an access. */
  laneStride(affine: Affine): number {
    if (this.#isLaneScratch(affine)) return 1;
    return this.#laneLoop < 0 ? 0 : (affine.strides[this.#laneLoop] ?? 0);
  }

  /** Makes room for the address of an access. */
  addAccess(access: Access, dtype: DType): void {
    this.#ofAccess(access, dtype);
  }

  addIndex(affine: Affine): void {
    this.#ofIndex(affine);
  }

  /** Writes the values at the start of a call, of what depends on no loop, or at the start of a row. */
  start(of: "call" | "row"): void {
    for (const induction of this.#all.values()) {
      const fixed = induction.affine.strides.every((stride) => stride === 0);
      if (fixed === (of === "call")) this.#startOne(induction);
    }
  }

  /** Runs `write` for an inner loop: `next` writes the step to the next iteration. */
  within(loop: number, write: (next: () => void) => void): void {
    const { w } = this.#frame;
    const outside = new Map<Induction, number>();
    for (const induction of this.#all.values()) {
      if (induction.affine.strides[loop] === 0) continue;
      outside.set(induction, induction.local);
      const local = w.fresh("i32");
      w.f.get(induction.local).set(local);
      induction.local = local;
    }
    write(() => this.advance(loop, 1));
    for (const [induction, local] of outside) induction.local = local;
  }

  /** Writes the step by a number of iterations of a loop. */
  advance(loop: number, iterations: number): void {
    const { f } = this.#frame.w;
    for (const { affine, unit, local } of this.#all.values()) {
      const step = affine.strides[loop] * unit * iterations;
      if (step !== 0) f.get(local).i32(step).op("i32.add").set(local);
    }
  }

  /** Where the lanes of a vector are, with `copy` full vectors before it. */
  laneAddress(access: Access, dtype: DType, copy: number, wraps = false): LaneAddress {
    const { local } = this.#ofAccess(access, dtype);
    const stride = this.laneStride(access) * byteSize[dtype];
    return { dtype, pointer: local, offset: copy * this.#frame.lanes * stride, stride, wraps };
  }

  /** Bytes from an element of an access to the next. */
  unit(access: Access, dtype: DType): number {
    return this.#ofAccess(access, dtype).unit;
  }

  /** The value of an expression in each lane. */
  indexValue(affine: Affine, copy: number): Value {
    const { w, lanes } = this.#frame;
    const { local } = this.#ofIndex(affine);
    const stride = this.laneStride(affine);
    const splat: Value = () => w.f.get(local).op("i32x4.splat");
    if (stride === 0) return splat;
    const steps = [0, 1, 2, 3].map((lane) => (copy * lanes + lane) * stride);
    return w.op("i32x4.add", splat, w.i32(...steps));
  }

  /** Pushes whether all guards hold at all points of the inner loops, of which none has begun, in so many lanes. */
  pushAllInRange(guards: readonly Guard[], inner: readonly number[], lanes: number): void {
    const { w, outer } = this.#frame;
    w.f.i32(1);
    for (const guard of guards) {
      const reach = inner.map((size, i) => guard.strides[outer.length + i] * (size - 1));
      if (this.#laneLoop < outer.length) reach.push(this.laneStride(guard) * (lanes - 1));
      const sum = (pick: (a: number, b: number) => number): number =>
        reach.reduce((total, x) => total + pick(x, 0), 0);
      for (const offset of new Set([sum(Math.min), sum(Math.max)])) {
        w.f.get(this.#ofIndex(guard).local).i32(offset).op("i32.add");
        w.f.i32(guard.size).op("i32.lt_u").op("i32.and");
      }
    }
  }

  /** Pushes whether all guards hold in these lanes. */
  pushInRange(guards: readonly Guard[], copy: number, lanes: readonly number[]): void {
    const { f } = this.#frame.w;
    let first = true;
    for (const guard of guards) {
      const stride = this.laneStride(guard);
      for (const lane of stride === 0 ? [0] : lanes) {
        const offset = (copy * this.#frame.lanes + lane) * stride;
        f.get(this.#ofIndex(guard).local);
        if (offset !== 0) f.i32(offset).op("i32.add");
        // One comparison for both ends: below 0 is far above, without a sign.
        f.i32(guard.size).op("i32.lt_u");
        if (!first) f.op("i32.and");
        first = false;
      }
    }
  }

  /** Whether it accesses scratch rows that lie side by side, one for each lane of a block. */
  #isLaneScratch(affine: Affine | Access): boolean {
    const { lanesAcross, firstScratch = Infinity } = this.#frame;
    return lanesAcross && "buffer" in affine && affine.buffer >= firstScratch;
  }

  #ofAccess(access: Access, dtype: DType): Induction {
    const unit = byteSize[dtype] * (this.#isLaneScratch(access) ? blockLanes : 1);
    return this.#find(access, unit, this.#frame.address(access.buffer));
  }

  #ofIndex(affine: Affine): Induction {
    return this.#find(affine, 1, undefined);
  }

  #find(affine: Affine, unit: number, base: number | undefined): Induction {
    const key = `${base} ${unit} ${affine.offset} ${affine.strides.join()}`;
    let induction = this.#all.get(key);
    if (induction === undefined) {
      induction = { base, unit, affine, local: -1 };
      this.#all.set(key, induction);
    }
    return induction;
  }

  #startOne(induction: Induction): void {
    const { w, digits } = this.#frame;
    const { affine, unit, base } = induction;
    induction.local = w.fresh("i32");
    w.f.i32(affine.offset * unit);
    if (base !== undefined) w.f.get(base).op("i32.add");
    for (const [loop, digit] of digits.entries()) {
      const stride = affine.strides[loop] * unit;
      if (stride === 0) continue;
      w.f.get(digit);
      if (stride !== 1) w.f.i32(stride).op("i32.mul");
      w.f.op("i32.add");
    }
    w.f.set(induction.local);
  }
}
