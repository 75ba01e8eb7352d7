import type { Affine, Guard } from "@gradloom/engine";
import type { Draw } from "./draw.ts";

/** An affine expression without its offset, and the values that it takes over the loops. */
export interface Reach {
  readonly strides: readonly number[];
  readonly lowest: number;
  readonly highest: number;
  readonly guards: readonly Guard[];
}

/**
 * A way to read: permuted, with gaps, backwards, repeated, overlapping like a window, and with guards
 * (padding) on one loop or on a combination of two.
 */
export function drawReach(draw: Draw, sizes: readonly number[], mayGuard = true): Reach {
  const strides = sizes.map(() => 0);
  const guards: Guard[] = [];
  let lowest = 0;
  let highest = 0;
  let stride = 1;
  const windows = draw.chance(10);
  const order = drawOrder(draw, sizes.length);
  while (order.length > 0) {
    const loops = [order.shift() as number];
    const guarded = mayGuard && draw.chance(12);
    if (guarded && order.length > 0 && draw.chance(40)) loops.push(order.shift() as number);
    if (!guarded) {
      const [loop] = loops;
      const step = windows
        ? draw.int(0, 3)
        : stride * draw.pick([1, 1, 1, 1, 1, 1, 1, 0, -1, draw.int(2, 3)]);
      strides[loop] = step;
      const reach = step * Math.max(sizes[loop] - 1, 0);
      lowest += Math.min(reach, 0);
      highest += Math.max(reach, 0);
      if (step !== 0) stride = Math.abs(step) * Math.max(sizes[loop], 1);
      if (draw.chance(8)) stride += draw.int(1, 4);
      continue;
    }
    const guard = drawGuard(draw, sizes, loops);
    guards.push(guard);
    // The position grows with what the guard checks, and stays inside while the guard holds.
    for (const loop of loops) strides[loop] = stride * guard.strides[loop];
    // What the loops alone give, without the guard's offset, while the guard holds.
    lowest += stride * -guard.offset;
    highest += stride * (guard.size - 1 - guard.offset);
    stride *= guard.size;
  }
  return { strides, lowest, highest, guards };
}

function drawGuard(draw: Draw, sizes: readonly number[], loops: readonly number[]): Guard {
  const strides = sizes.map(() => 0);
  let lowest = 0;
  let highest = 0;
  for (const loop of loops) {
    const step = draw.pick([1, 1, 1, -1, 2, -2, 3]);
    strides[loop] = step;
    const reach = step * Math.max(sizes[loop] - 1, 0);
    lowest += Math.min(reach, 0);
    highest += Math.max(reach, 0);
  }
  const span = highest - lowest + 1;
  // Outside at either end, at both, or (rarely) everywhere or nowhere.
  return { strides, offset: -lowest - draw.int(-2, 3), size: draw.int(1, span + 2) };
}

/** A way to write: each point has an element of its own, also among points of any order. */
export function drawStoreReach(draw: Draw, sizes: readonly number[], dense: boolean): Reach {
  const strides = sizes.map(() => 0);
  let lowest = 0;
  let highest = 0;
  let stride = 1;
  for (const loop of drawOrder(draw, sizes.length)) {
    if (!dense && draw.chance(8)) stride += draw.int(1, 3);
    const step = draw.chance(10) ? -stride : stride;
    strides[loop] = step;
    const reach = step * Math.max(sizes[loop] - 1, 0);
    lowest += Math.min(reach, 0);
    highest += Math.max(reach, 0);
    stride *= Math.max(sizes[loop], 1);
  }
  return { strides, lowest, highest, guards: [] };
}

/** A way to read that stays within `length` elements (at least one). */
export function drawReachWithin(draw: Draw, sizes: readonly number[], length: number): Affine {
  const strides = sizes.map(() => 0);
  let lowest = 0;
  let highest = 0;
  for (const loop of drawOrder(draw, sizes.length)) {
    const room = length - 1 - (highest - lowest);
    const steps = Math.max(sizes[loop] - 1, 1);
    const most = Math.floor(room / steps);
    if (most === 0) continue;
    // As long as they fit, 1 and the step behind what is there already are the usual ones.
    const usual = Math.min(highest - lowest + 1, most);
    const size = draw.pick([usual, usual, usual, 0, draw.int(0, Math.min(most, 40))]);
    const step = draw.chance(15) ? -size : size;
    strides[loop] = step;
    const reach = step * Math.max(sizes[loop] - 1, 0);
    lowest += Math.min(reach, 0);
    highest += Math.max(reach, 0);
  }
  const offset = -lowest + draw.int(0, Math.min(length - 1 - (highest - lowest), 5));
  return { offset, strides };
}

/** Loops from the fastest to the slowest in memory: mostly as they are nested. */
function drawOrder(draw: Draw, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => count - 1 - i);
  return draw.chance(35) ? draw.shuffle(order) : order;
}
