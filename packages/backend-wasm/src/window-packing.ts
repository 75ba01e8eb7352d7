import { type FunctionWriter, ModuleWriter, type ValueType } from "./assembler.ts";
import { type Cursor, carryCursor, moveCursor, startCursor } from "./cursor.ts";
import type { Features } from "./features.ts";
import { vectorsApart } from "./lanes.ts";
import { rangeOf } from "./loop-nest.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import { writePatch } from "./patch-packing.ts";
import { toldNumbers, wordsAt } from "./told-words.ts";
import { transpose } from "./transpose.ts";
import type { WindowCode } from "./window-structure.ts";

/** `(from, to, side, count, term, terms, guards)`: see {@link compileWindowPacking}. */
export const packingParameters: readonly ValueType[] = Array(7).fill("i32");

/** Whether four elements so many bytes apart are read as vectors. */
const isNear = (spacing: number): boolean => spacing === 4 || vectorsApart.has(spacing);

/**
 * A module whose function `k` brings `count` sides of windows, from number `side` on, into panels: for each term the
 * sides of a panel side by side, and zeros where a guard does not hold. `guards` is the address of what the guards
 * start from.
 *
 * It goes through all terms with four sides at a time. Where these lie next to each other, they are read as a vector;
 * else, where terms do, blocks of 4 × 4 are transposed; else each element is read. Guards that hold for all terms
 * are checked once; others make a mask. A vector of which one element at least is inside may be read: memory
 * does not end there.
 */
export function compileWindowPacking(
  structure: WindowCode,
  features: Features,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory(features.sharedMemory);
  writeWindowPacking(module.function(packingParameters, [], "k"), structure, features);
  return module.finish();
}

const [from, to, side, count, term, terms, guards] = packingParameters.keys();

/** Writes the function of {@link compileWindowPacking}. */
function writeWindowPacking(f: FunctionWriter, structure: WindowCode, features: Features): void {
  const { step, sides, terms: digits, lines, guards: limits, patch, told } = structure;
  const last = digits.length - 1;
  const push = toldNumbers(f, told, wordsAt(f, guards), 0);
  const numbers = (): number[] => limits.map(() => f.local());
  // Where four sides start: an offset and what each guard checks.
  const offsets = f.locals(4);
  const offsetVector = f.local("v128");
  const sideGuards = limits.map(() => f.local("v128"));
  // What the guards start from, whatever the term.
  const guardStarts = numbers();
  // The present term: its address, and what it adds to each guard.
  const address = f.local();
  const termGuards = numbers();
  const out = f.local();
  const run = f.local();
  const mask = f.local("v128");

  write();

  function write(): void {
    guardStarts.forEach((local, i) => {
      f.get(guards)
        .load(i32.load, 4 * i)
        .set(local);
    });
    const cursor: Cursor = {
      sizes: sides,
      push,
      digits: sides.map(() => f.local()),
      values: lines.map(({ sides: strides }) => ({ local: f.local(), strides })),
    };
    startCursor(f, cursor, side);
    const half = f.local();
    const next = f.loop();
    takeSides(cursor);
    writeQuad();
    if (step === 16) {
      f.get(to).get(terms).i32(4).op(i32.shl).op(i32.add).set(to);
    } else {
      // The other half of the panel, or the next panel.
      f.get(to).get(terms).i32(5).op(i32.shl).i32(16).op(i32.sub).i32(16).get(half);
      f.select().op(i32.add).set(to).get(half).op(i32.eqz).set(half);
    }
    f.get(count).i32(0).op(i32.gt_s).brIf(next).end();
  }

  /** The next four sides. Beyond the last one are its neighbours, or itself if those may be far away. */
  function takeSides(cursor: Cursor): void {
    const innermost = sides.length - 1;
    const [offset, ...checked] = cursor.values.map(({ local }) => local);
    for (const [lane, kept] of offsets.entries()) {
      f.get(offset).set(kept);
      f.get(offsetVector).get(kept).op(i32x4.replace_lane, lane).set(offsetVector);
      sideGuards.forEach((vector, i) => {
        f.get(vector).get(checked[i]).op(i32x4.replace_lane, lane).set(vector);
      });
      f.addAndGet(count, -1).i32(0).op(i32.gt_s).if();
      moveCursor(f, cursor, innermost);
      const neighbour = cursor.values[0].strides[innermost];
      if (isNear(neighbour)) {
        f.else();
        f.add(offset, neighbour);
      }
      f.end();
    }
  }

  /** All terms of four sides. */
  function writeQuad(): void {
    if (patch) {
      eachPatch();
      return;
    }
    const spacing = lines[0].sides[sides.length - 1];
    const termSpacing = lines[0].terms[last];
    if (isNear(spacing)) {
      f.i32(1);
      for (let i = 1; i < 4; i++) {
        f.get(offsets[i])
          .get(offsets[i - 1])
          .op(i32.sub);
        f.i32(spacing).op(i32.eq).op(i32.and);
      }
      f.if();
      ifInside((guarded) => eachTerm(() => readSides(spacing, guarded)));
      f.else();
      ifInside((guarded) => eachTerm(() => gather(guarded)));
      f.end();
    } else if (isNear(termSpacing) && digits[last] >= 4) {
      eachRun(() => transposeRun(termSpacing));
    } else {
      ifInside((guarded) => eachTerm(() => gather(guarded)));
    }
  }

  /** Writes code for sides of which no guard cuts anything off, whatever the term, and code for others. */
  function ifInside(write: (guarded: boolean) => void): void {
    if (limits.length === 0) {
      write(false);
      return;
    }
    const ends = lines
      .slice(1)
      .map(({ terms: strides }) => rangeOf({ offset: 0, strides }, digits));
    holds(guardStarts, ends);
    f.op(i32x4.all_true).if();
    write(false);
    f.else();
    write(true);
    f.end();
  }

  /** Pushes, for each of the four sides, whether the guards hold with these added. */
  function holds(values: readonly number[], added: readonly (readonly number[])[]): void {
    let first = true;
    limits.forEach((size, i) => {
      for (const amount of new Set(added[i])) {
        f.get(values[i]);
        if (amount !== 0) f.i32(amount).op(i32.add);
        // One comparison for both ends: below 0 is far above, without a sign.
        f.op(i32x4.splat).get(sideGuards[i]).op(i32x4.add).i32x4(size).op(i32x4.lt_u);
        if (!first) f.op(v128.and);
        first = false;
      }
    });
  }

  /** Goes through the terms in runs along the last digit; `write` does all of a run. */
  function eachRun(write: () => void): void {
    const left = f.local();
    const number = f.local();
    const cursor: Cursor = {
      sizes: digits,
      push,
      digits: digits.map(() => f.local()),
      values: [address, ...termGuards].map((local, i) => ({
        local,
        strides: lines[i].terms,
      })),
    };
    f.get(from).set(address);
    termGuards.forEach((local, i) => {
      f.get(guardStarts[i]).set(local);
    });
    f.get(term).set(number);
    startCursor(f, cursor, number);
    f.get(to).set(out).get(terms).set(left);
    const next = f.loop();
    if (last > 0) {
      push(digits[last]);
      f.get(cursor.digits[last]).op(i32.sub).set(run);
      f.smaller(left, run);
    } else f.get(left);
    f.tee(run);
    f.get(cursor.digits[last]).op(i32.add).set(cursor.digits[last]);
    f.get(left).get(run).op(i32.sub).set(left);
    write();
    if (last > 0) {
      f.get(left).if();
      carryCursor(f, cursor, last);
      f.br(next).end();
    }
    f.end();
  }

  /** Goes through the terms; `push` leaves the four elements of one on the stack. */
  function eachTerm(push: () => void): void {
    eachRun(() => {
      const next = f.loop();
      f.get(out);
      push();
      f.store(v128.store);
      moveOn(1);
      f.get(run).brIf(next).end();
    });
  }

  /** Goes through the terms, which are patches. */
  function eachPatch(): void {
    const write = writePatch(f, features, structure, {
      out,
      address,
      offsets,
      offsetVector,
      safe: to,
      pushHolds: (added) => holds(termGuards, added),
    });
    eachRun(() => {
      const next = f.loop();
      write();
      moveOn(1);
      f.get(run).brIf(next).end();
    });
  }

  /** To another term of the same run. */
  function moveOn(by: number): void {
    [address, ...termGuards].forEach((local, i) => {
      f.get(local);
      push(lines[i].terms[last], by);
      f.op(i32.add).set(local);
    });
    f.add(out, by * step).add(run, -by);
  }

  /** Sets the mask of the sides that are inside. */
  function setMask(): void {
    holds(
      termGuards,
      termGuards.map(() => [0]),
    );
    f.set(mask);
  }

  /** Pushes the four elements that lie `spacing` apart, from what `address` pushes on. */
  function pushVector(spacing: number, address: () => void): void {
    const apart = vectorsApart.get(spacing);
    for (const lane of apart?.lanes ?? [0]) {
      const offset = lane * spacing;
      address();
      if (offset < 0) f.i32(offset).op(i32.add);
      f.load(v128.load, Math.max(offset, 0));
    }
    if (apart) f.op(i8x16.shuffle, ...apart.order);
  }

  /** Pushes a term's elements, which lie `spacing` apart. */
  function readSides(spacing: number, guarded: boolean): void {
    if (guarded) setMask();
    const at = f.local();
    f.get(address).get(offsets[0]).op(i32.add);
    if (guarded) {
      // Far outside there may be no memory.
      f.get(to).get(mask).op(v128.any_true).select();
    }
    f.set(at);
    pushVector(spacing, () => f.get(at));
    if (guarded) f.get(mask).op(v128.and);
  }

  /** Pushes a term's elements, read one by one. */
  function gather(guarded: boolean): void {
    const places = f.local("v128");
    const read = f.local("v128");
    if (guarded) {
      setMask();
      f.get(address).op(i32x4.splat).get(offsetVector).op(i32x4.add);
      f.get(to).op(i32x4.splat).get(mask).op(v128.bitselect).set(places);
    }
    offsets.forEach((offset, lane) => {
      if (guarded) f.get(places).op(i32x4.extract_lane, lane);
      else f.get(address).get(offset).op(i32.add);
      if (lane === 0) f.load(v128.load32_zero);
      else f.get(read).load(v128.load32_lane, 0, lane);
      f.set(read);
    });
    f.get(read);
    if (guarded) f.get(mask).op(v128.and);
  }

  /** A run of terms, four by four where they are inside for all four sides. */
  function transposeRun(spacing: number): void {
    const next = f.loop();
    f.get(run).i32(4).op(i32.ge_u);
    if (limits.length > 0) {
      holds(
        termGuards,
        lines.slice(1).map(({ terms: strides }) => [0, 3 * strides[last]]),
      );
      f.op(i32x4.all_true).op(i32.and);
    }
    f.if();
    const read = offsets.map((offset) => {
      const vector = f.local("v128");
      pushVector(spacing, () => f.get(address).get(offset).op(i32.add));
      f.set(vector);
      return vector;
    });
    transpose(f, read).forEach((push, i) => {
      f.get(out);
      push();
      f.store(v128.store, i * step);
    });
    moveOn(4);
    f.else();
    f.get(out);
    gather(limits.length > 0);
    f.store(v128.store);
    moveOn(1);
    f.end();
    f.get(run).brIf(next).end();
  }
}
