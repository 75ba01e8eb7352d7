import type { FunctionWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import { transpose, words } from "./transpose.ts";
import type { WindowStructure } from "./window-structure.ts";
import { patchSize, Winograd } from "./winograd-transform.ts";

/** Where four patches are. Locals. */
interface Patches {
  /** Where the first of the transformed elements goes. */
  readonly out: number;
  /** The sum of the address and one of the offsets is where a patch starts. */
  readonly address: number;
  readonly offsets: readonly number[];
  readonly offsetVector: number;
  /** An address that may be read. */
  readonly safe: number;
  /** Pushes for which patches the guards hold, with these added. */
  readonly pushHolds: (added: readonly (readonly number[])[]) => void;
}

/** Prepares to write the code that transforms four patches, side by side in the lanes of vectors. */
export function writePatch(
  f: FunctionWriter,
  features: Features,
  { patch, guards }: WindowStructure,
  { out, address, offsets, offsetVector, safe, pushHolds }: Patches,
): () => void {
  const { places = [], axes = [], layer = 0 } = patch ?? {};
  const size = places.length;
  const winograd = new Winograd(f, features);
  const starts = offsets.map(() => f.local());
  const moved = offsets.map(() => f.local());
  const row = f.locals(size, "v128");
  const lanes = f.locals(4, "v128");
  const pairs = f.locals(2, "v128");
  const inside = f.local();
  const masks = f.locals(size, "v128");
  const mask = f.local("v128");

  /** Of those guards that are about this axis, for a row or column of the patch. */
  const pushMask = (axis: number, at: number): boolean => {
    const added = guards.map((_, i) => (axes[i] === axis ? [at] : []));
    if (!axes.includes(axis)) return false;
    pushHolds(added);
    return true;
  };
  /** Reads a row of each patch, from addresses and an offset. */
  const read = (from: readonly number[], offset: number): void => {
    from.forEach((local, lane) => {
      f.get(local).load(v128.load, offset).set(lanes[lane]);
    });
    transpose(f, lanes).forEach((push, j) => {
      push();
      f.set(row[j]);
    });
    if (size < patchSize) return;
    pairs.forEach((pair, i) => {
      f.get(from[2 * i + 1])
        .get(from[2 * i])
        .load(v128.load64_zero, offset + 16);
      f.load(v128.load64_lane, offset + 16, 1).set(pair);
    });
    for (const [j, pick] of [words(0, 2, 4, 6), words(1, 3, 5, 7)].entries()) {
      f.get(pairs[0])
        .get(pairs[1])
        .op(i8x16.shuffle, ...pick)
        .set(row[4 + j]);
    }
  };
  const readTaps = (i: number): void => {
    places[i].forEach((place, j) => {
      f.get(starts[0]).load(v128.load32_zero, place).set(row[j]);
      for (let lane = 1; lane < 4; lane++) {
        f.get(starts[lane]).get(row[j]).load(v128.load32_lane, place, lane).set(row[j]);
      }
    });
  };
  const readRow = (i: number): readonly number[] => {
    const [offset] = places[i];
    if (size === 3) readTaps(i);
    else if (guards.length === 0) read(starts, offset);
    else {
      f.get(inside).if();
      read(starts, offset);
      f.else();
      const hasMask = pushMask(0, i);
      if (hasMask) f.set(mask);
      f.get(address).i32(offset).op(i32.add).op(i32x4.splat).get(offsetVector);
      f.op(i32x4.add);
      // A row far outside may not be in memory.
      if (hasMask) f.get(safe).op(i32x4.splat).get(mask).op(v128.bitselect);
      f.set(lanes[0]);
      moved.forEach((local, lane) => {
        f.get(lanes[0]).op(i32x4.extract_lane, lane).set(local);
      });
      read(moved, 0);
      row.forEach((local, j) => {
        f.get(local);
        if (hasMask) f.get(mask).op(v128.and);
        if (axes.includes(1)) f.get(masks[j]).op(v128.and);
        f.set(local);
      });
      f.end();
    }
    return row;
  };
  return () => {
    starts.forEach((local, lane) => {
      f.get(address).get(offsets[lane]).op(i32.add).set(local);
    });
    if (guards.length > 0) {
      pushHolds(guards.map(() => [0, size - 1]));
      f.op(i32x4.all_true).tee(inside).op(i32.eqz).if();
      masks.forEach((local, j) => {
        if (pushMask(1, j)) f.set(local);
      });
      f.end();
    }
    const one = size === patchSize ? winograd.elements : winograd.evaluate;
    winograd.both(one, size, readRow, (i, j, push) => {
      f.get(out);
      push();
      f.store(v128.store, (i * patchSize + j) * layer);
    });
  };
}
