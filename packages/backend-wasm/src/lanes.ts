import { byteSize, type DType } from "@gradloom/engine";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i16x8 from "./opcodes/i16x8.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import { words } from "./transpose.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** Where the lanes of a vector are in memory. */
export interface LaneAddress {
  readonly dtype: DType;
  /** A local with the address of lane 0, up to the offset. */
  readonly pointer: number;
  readonly offset: number;
  /** Bytes from a lane to the next. */
  readonly stride: number;
  /** Whether the pointer may be below 0, and only the sum a true address. */
  readonly wraps: boolean;
  /** A local with the address of each lane, which may be anywhere; the stride is 0 then. */
  readonly scattered?: number;
}

/** Pushes the address of a lane, and returns what to add to it as an immediate. */
function pushAddress(w: VectorWriter, at: LaneAddress, lane: number): number {
  if (at.scattered !== undefined) {
    w.f.get(at.scattered).op(i32x4.extract_lane, lane);
    return 0;
  }
  const offset = at.offset + lane * at.stride;
  w.f.get(at.pointer);
  if (offset === 0 || (offset > 0 && !at.wraps)) return offset;
  w.f.i32(offset).op(i32.add);
  return 0;
}

/** Pushes a vector of bytes as an i32x4: `uint8` as it is, `bool` as a mask. */
function pushBytes(w: VectorWriter, dtype: DType, bytes: Value): void {
  bytes();
  if (dtype === "bool") {
    w.i32(0)();
    w.f.op(i32x4.ne);
  }
}

/** Pushes one element in all lanes. */
export function pushSplat(w: VectorWriter, at: LaneAddress): void {
  const { f } = w;
  if (at.dtype === "float64") {
    f.load(v128.load64_splat, pushAddress(w, at, 0));
  } else if (at.dtype === "float32" || at.dtype === "int32") {
    f.load(v128.load32_splat, pushAddress(w, at, 0));
  } else {
    pushBytes(w, at.dtype, () => f.load(i32.load8_u, pushAddress(w, at, 0)).op(i32x4.splat));
  }
}

/** How lanes so many bytes apart are read: the vectors that start at two lanes, and which of their words these are. */
export const vectorsApart: ReadonlyMap<
  number,
  { readonly lanes: number[]; readonly order: number[] }
> = new Map([
  [8, { lanes: [0, 2], order: words(0, 2, 4, 6) }],
  [-4, { lanes: [3, 3], order: words(3, 2, 1, 0) }],
]);

/** Pushes the elements of the first `width` lanes, one after the other in memory or strided. */
export function pushLoad(w: VectorWriter, at: LaneAddress, width: number): void {
  const { f } = w;
  if (at.dtype === "float64") {
    f.load(v128.load64_zero, pushAddress(w, at, 0));
  } else if (at.dtype === "float32" || at.dtype === "int32") {
    const pairs = at.stride === 4 && width >= 2;
    if (pairs && width === 4) {
      f.load(v128.load, pushAddress(w, at, 0));
      return;
    }
    const apart = width === 4 ? vectorsApart.get(at.stride) : undefined;
    if (apart) {
      // It may read an element beyond the last lane: there is memory, whatever is in it.
      for (const lane of apart.lanes) f.load(v128.load, pushAddress(w, at, lane));
      f.op(i8x16.shuffle, ...apart.order);
      return;
    }
    const first = pairs ? 2 : 1;
    const offsets: number[] = [];
    for (let lane = width - 1; lane >= first; lane--) offsets[lane] = pushAddress(w, at, lane);
    f.load(pairs ? v128.load64_zero : v128.load32_zero, pushAddress(w, at, 0));
    for (let lane = first; lane < width; lane++) f.load(v128.load32_lane, offsets[lane], lane);
  } else {
    pushBytes(w, at.dtype, () => {
      if (at.stride === 1 && width === 4) {
        f.load(v128.load32_zero, pushAddress(w, at, 0));
        f.op(i16x8.extend_low_i8x16_u).op(i32x4.extend_low_i16x8_u);
        return;
      }
      f.load(i32.load8_u, pushAddress(w, at, 0)).op(i32x4.splat);
      for (let lane = 1; lane < width; lane++) {
        f.load(i32.load8_u, pushAddress(w, at, lane)).op(i32x4.replace_lane, lane);
      }
    });
  }
}

/** Replaces a lane of a value by the element in memory. */
export function pushLoadLane(w: VectorWriter, at: LaneAddress, lane: number, value: Value): void {
  const { f } = w;
  if (at.dtype === "float64") {
    f.load(v128.load64_zero, pushAddress(w, at, 0));
  } else if (at.dtype === "float32" || at.dtype === "int32") {
    const offset = pushAddress(w, at, lane);
    value();
    f.load(v128.load32_lane, offset, lane);
  } else {
    value();
    f.load(i32.load8_u, pushAddress(w, at, lane));
    if (at.dtype === "bool") f.i32(0).op(i32.ne).i32(-1).op(i32.mul);
    f.op(i32x4.replace_lane, lane);
  }
}

/** Writes the first `width` lanes of a value. */
export function writeStore(w: VectorWriter, at: LaneAddress, width: number, value: Value): void {
  const { f } = w;
  const bytes = inMemory(w, at, value);
  const isVector = at.stride === byteSize[at.dtype] && at.dtype !== "float64";
  if (isVector && width === 4) {
    const offset = pushAddress(w, at, 0);
    if (at.stride === 4) {
      bytes();
      f.store(v128.store, offset);
    } else {
      const kept = w.keep(bytes);
      const halves = w.keep(w.op(i16x8.narrow_i32x4_s, kept, kept));
      w.op(i8x16.narrow_i16x8_u, halves, halves)();
      f.store(v128.store32_lane, offset, 0);
    }
    return;
  }
  const count = at.dtype === "float64" ? 1 : width;
  const kept = count === 1 ? bytes : w.keep(bytes);
  let lane = 0;
  if (isVector && at.stride === 4 && count > 1) {
    const offset = pushAddress(w, at, 0);
    kept();
    f.store(v128.store64_lane, offset, 0);
    lane = 2;
  }
  for (; lane < count; lane++) storeLane(w, at, lane, kept);
}

/** Writes two vectors of 32 bits by turns: the lanes of the second are behind those of the first. */
export function writeByTurns(w: VectorWriter, at: LaneAddress, first: Value, second: Value): void {
  const [a, b] = [w.keep(first), w.keep(second)];
  for (const [half, picked] of [words(0, 4, 1, 5), words(2, 6, 3, 7)].entries()) {
    const offset = pushAddress(w, at, 2 * half);
    a();
    b();
    w.f.op(i8x16.shuffle, ...picked).store(v128.store, offset);
  }
}

/** Writes one lane of a value. */
export function writeStoreLane(w: VectorWriter, at: LaneAddress, lane: number, value: Value): void {
  storeLane(w, at, lane, inMemory(w, at, value));
}

/** What of a value is stored: true is 1 in memory. */
function inMemory(w: VectorWriter, { dtype }: LaneAddress, value: Value): Value {
  return dtype === "bool" ? w.op(v128.and, value, w.i32(1)) : value;
}

function storeLane(w: VectorWriter, at: LaneAddress, lane: number, value: Value): void {
  const offset = pushAddress(w, at, lane);
  value();
  if (byteSize[at.dtype] === 1) w.f.store(v128.store8_lane, offset, 4 * lane);
  else w.f.store(at.dtype === "float64" ? v128.store64_lane : v128.store32_lane, offset, lane);
}
