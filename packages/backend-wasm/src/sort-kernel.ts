import type { DType, LoopKernel, SortKernel, Stage } from "@gradloom/engine";
import { addItemSort, counterBytes, type ItemLayout, narrowItems, wideItems } from "./item-sort.ts";
import type { KernelFrame, Sink } from "./kernel-frame.ts";
import { countIterations } from "./loop-nest.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as f64x2 from "./opcodes/f64x2.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as i64 from "./opcodes/i64.ts";
import * as i64x2 from "./opcodes/i64x2.ts";
import * as memory from "./opcodes/memory.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** How rows are sorted. */
export interface SortPlan {
  /** One stage, which reads a row; its scratch is two places for items, and counters. */
  readonly loops: LoopKernel;
  readonly kernel: SortKernel;
  readonly layout: ItemLayout;
  /** How many items there is room for: if for less than a row, the best of those so far are kept when it is full. */
  readonly room: number;
  /** Of a thread's own memory. */
  readonly scratchBytes: readonly number[];
  readonly nanoseconds: number;
}

/** Plans to sort all of a row, or to keep those that can be among the first while it is read. */
export function planSort(kernel: SortKernel): SortPlan {
  const { dtype, outer, size, count, source } = kernel;
  const layout = dtype === "float64" ? wideItems : narrowItems;
  const room = layout === narrowItems ? Math.min(size, 2 * count + 256) : size;
  const stage: Stage = {
    inner: [size],
    code: [
      { op: "load", dtype, access: source, guards: [] },
      { op: "index", dtype: "int32", offset: 0, strides: [...outer.map(() => 0), 1] },
    ],
    // Only to say what is read: a sink takes it.
    stores: [{ value: 0, access: source }],
    results: [],
  };
  const bytes = room * layout.bytes;
  const scratchBytes = [bytes, bytes, counterBytes(layout)];
  const { buffers, scalars, label } = kernel;
  const scratch = scratchBytes.map((length) => ({ dtype: "uint8", length }) as const);
  return {
    loops: { kind: "loop", buffers, scalars, label, outer, stages: [stage], scratch },
    kernel,
    layout,
    room,
    scratchBytes,
    nanoseconds: countIterations([...outer, size]) * (room < size ? 1 : 8),
  };
}

/** Sorts the rows that the plan's loops read. */
export function sortSink(
  { kernel, layout, room }: SortPlan,
  { w, digits, address }: KernelFrame,
): Sink {
  const { f } = w;
  const { dtype, size, count, descending, target, buffers } = kernel;
  const { bytes, key } = layout;
  const wide = layout === wideItems;
  const selects = room < size;
  const sort = addItemSort(w.module, layout);
  const [items, other, counters] = [0, 1, 2].map((i) => address(buffers.length + i));
  const [end, limit, item, at, left] = f.locals(5);
  /** Sorts what there is: leaves on the stack where that is. */
  const pushSorted = (): void => {
    f.get(items).get(other).get(counters);
    f.get(end).get(items).op(i32.sub).i32(bytes).op(i32.div_u).i32(count).call(sort.index);
  };
  const keepBest = (): void => {
    pushSorted();
    f.tee(item).get(items).op(i32.ne).if();
    f.get(items)
      .get(item)
      .i32(count * bytes)
      .op(memory.copy, 0, 0);
    f.end();
    f.get(items)
      .i32(count * bytes)
      .op(i32.add)
      .set(end);
    // Later elements with the same key come behind; below 0 there is none.
    f.get(end).i32(bytes).op(i32.sub).load(i32.load, key).tee(limit);
    f.get(limit).i32(0).op(i32.ne).op(i32.sub).set(limit);
  };
  const add = (keys: Value, positions: Value, lane: number): void => {
    f.get(end);
    positions();
    f.op(i32x4.extract_lane, lane).store(i32.store);
    f.get(end);
    keys();
    if (wide) f.op(i64x2.extract_lane, 0).store(i64.store, key);
    else f.op(i32x4.extract_lane, lane).store(i32.store, key);
    f.add(end, bytes);
  };
  return {
    startRow() {
      f.get(items).set(end).i32(-1).set(limit);
    },
    write(_at, width, read) {
      const keys = w.keep(sortKey(w, dtype, read(0), descending));
      const positions = w.keep(read(1));
      if (!selects) {
        for (let lane = 0; lane < width; lane++) add(keys, positions, lane);
        return;
      }
      const within = w.op(i32x4.le_u, keys, () => f.get(limit).op(i32x4.splat));
      const counted = w.firstLanes(width);
      w.op(v128.and, within, counted)();
      f.op(v128.any_true).if();
      for (let lane = 0; lane < width; lane++) {
        keys();
        f.op(i32x4.extract_lane, lane).get(limit).op(i32.le_u).if();
        add(keys, positions, lane);
        f.get(end).get(items).op(i32.sub);
        f.i32(room * bytes)
          .op(i32.eq)
          .if();
        keepBest();
        f.end().end();
      }
      f.end();
    },
    endRow() {
      pushSorted();
      f.set(item);
      f.get(address(target.buffer))
        .i32(4 * target.offset)
        .op(i32.add);
      for (const [loop, digit] of digits.entries()) {
        f.get(digit)
          .i32(4 * target.strides[loop])
          .op(i32.mul)
          .op(i32.add);
      }
      f.set(at).i32(count).set(left);
      const next = f.loop();
      f.get(at).get(item).load(i32.load).store(i32.store);
      f.add(item, bytes);
      f.add(at, 4 * target.strides[digits.length]);
      f.countDown(left, next).end();
    },
  };
}

/** A number without a sign, of 32 bits or 64, that is in the order of the values: NaN last, -0 as 0. */
function sortKey(w: VectorWriter, dtype: DType, value: Value, descending: boolean): Value {
  const key = risingKey(w, dtype, value);
  return descending ? w.op(v128.not, key) : key;
}

function risingKey(w: VectorWriter, dtype: DType, value: Value): Value {
  if (dtype === "uint8") return value;
  if (dtype === "bool") return w.op(v128.and, value, w.i32(1));
  const sign = dtype === "float64" ? w.i32(0, 1 << 31, 0, 1 << 31) : w.i32(1 << 31);
  if (dtype === "int32") return w.op(v128.xor, value, sign);
  const wide = dtype === "float64";
  const x = w.keep(wide ? w.op(f64x2.add, value, w.f64(0)) : w.op(f32x4.add, value, w.f32(0)));
  const nan = wide ? w.i32(0, 0x7ff80000, 0, 0x7ff80000) : w.i32(0x7fc00000);
  const unordered = w.op(wide ? f64x2.ne : f32x4.ne, x, x);
  const bits = w.keep(w.op(v128.bitselect, nan, x, unordered));
  const signs: Value = () => {
    bits();
    w.f.i32(wide ? 63 : 31).op(wide ? i64x2.shr_s : i32x4.shr_s);
  };
  // Negative numbers are turned round.
  return w.op(v128.xor, bits, w.op(v128.or, signs, sign));
}
