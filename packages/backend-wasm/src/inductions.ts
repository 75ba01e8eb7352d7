import {
  type Access,
  type Affine,
  byteSize,
  type DType,
  type Guard,
  remember,
} from "@gradloom/engine";
import type { KernelFrame } from "./kernel-frame.ts";
import type { LaneAddress } from "./lanes.ts";
import { affinesOf, type Nest } from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value } from "./vector-writer.ts";

/** Lanes of the largest block of neighbouring rows; scratch rows are that many side by side then. */
export const blockLanes = 16;
/** Lanes of the largest block of as many neighbours as this, if there are no scratch rows. */
export const wideBlock = 32;
export const wideRow = 256;

/** Elements that are less than this apart are reached from one address: the distance is a part of the code. */
const farApart = 1024;

/** For the affine expressions of a stage: the offset of the one with the same strides from which code counts. */
export function startsOf(stage: Nest): (affine: Affine) => number {
  const starts = new Map<string, number[]>();
  const near = (affine: Affine & { readonly buffer?: number }) =>
    remember(starts, `${affine.buffer} ${affine.strides}`, () => []);
  const startOf = (affine: Affine) =>
    near(affine).find((start) => affine.offset < start + farApart);
  const rising = [...affinesOf(stage)].sort((a, b) => a.offset - b.offset);
  for (const affine of rising) if (startOf(affine) === undefined) near(affine).push(affine.offset);
  return startOf as (affine: Affine) => number;
}

/**
 * Affine expressions with the same strides, of which the lowest is kept in a local and increased from iteration to
 * iteration: addresses, values of guards, or indices.
 */
interface Induction {
  /** A local with what it starts from. */
  readonly base: number | undefined;
  /** What one unit of the affine expression counts: the bytes of an element, or 1. */
  readonly unit: number;
  readonly strides: readonly number[];
  readonly offset: number;
  /** Whether there may be nothing at some of the addresses, so that the local may be below 0. */
  guarded: boolean;
  /** The local with the value at the loops' present positions. */
  local: number;
}

/** All affine expressions of a stage: addresses, guards and indices, at the present positions of its loops. */
export class Inductions {
  readonly #frame: KernelFrame;
  /** The loop along which the lanes lie, or -1. */
  readonly #laneLoop: number;
  readonly #all = new Map<string, Induction>();
  readonly #startOf: (affine: Affine) => number;
  /** Whether all guards hold in what is being written. */
  isInside: boolean = false;

  constructor(frame: KernelFrame, stage: Nest, laneLoop: number) {
    this.#frame = frame;
    this.#startOf = startsOf(stage);
    this.#laneLoop = laneLoop;
    for (const { value, access } of stage.stores) this.#ofAccess(access, stage.code[value].dtype);
    for (const instruction of stage.code) {
      if (instruction.op === "index") this.#ofIndex(instruction);
      if (instruction.op !== "load") continue;
      const { access, dtype, guards } = instruction;
      this.#ofAccess(access, dtype).guarded ||= guards.length > 0;
      for (const guard of guards) this.#ofIndex(guard);
    }
  }

  /** How much an expression grows from a lane to the next, in elements if it is an access. */
  laneStride(affine: Affine): number {
    if (this.#isLaneScratch(affine)) return 1;
    return this.#laneLoop < 0 ? 0 : (affine.strides[this.#laneLoop] ?? 0);
  }

  /** Writes the values at the start of a call, of what depends on no loop, or at the start of a row. */
  start(of: "call" | "row"): void {
    for (const induction of this.#all.values()) {
      const fixed = induction.strides.every((stride) => stride === 0);
      if (fixed === (of === "call")) this.#startOne(induction);
    }
  }

  /** Runs `write` for an inner loop: `next` writes the step to the next iteration. */
  within(loop: number, write: (next: () => void) => void): void {
    const { w } = this.#frame;
    const outside = new Map<Induction, number>();
    for (const induction of this.#all.values()) {
      if (induction.strides[loop] === 0) continue;
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
    const { w, push } = this.#frame;
    for (const { strides, unit, local } of this.#all.values()) {
      const stride = strides[loop];
      if (loop === this.#laneLoop || stride === 0) w.f.add(local, stride * unit * iterations);
      else {
        w.f.get(local);
        push(stride, unit * iterations);
        w.f.op(i32.add).set(local);
      }
    }
  }

  /** Where the lanes of a vector are, with `copy` full vectors before it. */
  laneAddress(access: Access, dtype: DType, copy: number): LaneAddress {
    const { local, offset: least, unit, guarded } = this.#ofAccess(access, dtype);
    const stride = this.laneStride(access) * byteSize[dtype];
    const offset = (access.offset - least) * unit + copy * this.#frame.lanes * stride;
    return { dtype, pointer: local, offset, stride, wraps: guarded && !this.isInside };
  }

  /** Bytes from an element of an access to the next. */
  unit(access: Access, dtype: DType): number {
    return this.#ofAccess(access, dtype).unit;
  }

  /** The value of an expression in each lane. */
  indexValue(affine: Affine, copy: number): Value {
    const { w, lanes } = this.#frame;
    const { local, offset } = this.#ofIndex(affine);
    const stride = this.laneStride(affine);
    const splat: Value = () => w.f.get(local).op(i32x4.splat);
    const start = affine.offset - offset;
    if (stride === 0 && start === 0) return splat;
    const steps = [0, 1, 2, 3].map((lane) => start + (copy * lanes + lane) * stride);
    return w.op(i32x4.add, splat, w.i32(...steps));
  }

  /** Pushes whether all guards hold from here up to so many iterations further on in some loops. */
  pushAllInRange(guards: readonly Guard[], reach: ReadonlyMap<number, number>): void {
    const { f } = this.#frame.w;
    const ranges = new Map<Induction, readonly [low: number, high: number]>();
    for (const guard of guards) {
      const { offset, size, strides } = guard;
      const induction = this.#ofIndex(guard);
      let [first, last] = [offset - induction.offset, offset - induction.offset];
      for (const [loop, count] of reach) {
        first += Math.min(strides[loop] * count, 0);
        last += Math.max(strides[loop] * count, 0);
      }
      const [low, high] = ranges.get(induction) ?? [-Infinity, Infinity];
      ranges.set(induction, [Math.max(low, -first), Math.min(high, size - last)]);
    }
    f.i32(1);
    for (const [{ local }, [low, high]] of ranges) {
      // One comparison for both ends: what is below the range is far above it, without a sign.
      f.get(local)
        .i32(low)
        .op(i32.sub)
        .i32(Math.max(high - low, 0))
        .op(i32.lt_u)
        .op(i32.and);
    }
  }

  /** In which lanes all guards hold. */
  inRange(guards: readonly Guard[], copy: number): Value {
    const { w } = this.#frame;
    return guards
      .map((guard) => w.op(i32x4.lt_u, this.indexValue(guard, copy), w.i32(guard.size)))
      .reduce((all, one) => w.op(v128.and, all, one));
  }

  /** Whether it accesses scratch rows that lie side by side, one for each lane of a block. */
  #isLaneScratch(affine: Affine | Access): boolean {
    const { lanesAcross, firstScratch } = this.#frame;
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
    const { strides } = affine;
    const offset = this.#startOf(affine);
    const key = `${base} ${unit} ${offset} ${strides}`;
    return remember(
      this.#all,
      key,
      (): Induction => ({ base, unit, strides, offset, guarded: false, local: -1 }),
    );
  }

  #startOne(induction: Induction): void {
    const { w, digits, push } = this.#frame;
    const { strides, offset, unit, base } = induction;
    induction.local = w.fresh("i32");
    push(offset, unit);
    if (base !== undefined) w.f.get(base).op(i32.add);
    for (const [loop, digit] of digits.entries()) {
      const stride = strides[loop];
      if (stride === 0) continue;
      w.f.get(digit);
      if (loop === this.#laneLoop) w.f.i32(stride * unit);
      else push(stride, unit);
      w.f.op(i32.mul).op(i32.add);
    }
    w.f.set(induction.local);
  }
}
