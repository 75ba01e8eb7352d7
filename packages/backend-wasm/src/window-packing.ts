import { type FunctionWriter, ModuleWriter, type ValueType } from "./assembler.ts";
import type { Features } from "./features.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import { writePatch } from "./patch-packing.ts";
import { transpose, words } from "./transpose.ts";
import type { WindowStructure } from "./window-structure.ts";

/** `(from, to, side, count, term, terms, guards)`: see {@link compileWindowPacking}. */
export const packingParameters: readonly ValueType[] = Array(7).fill("i32");

/** How four elements are read that lie so many bytes apart: which vector, the next one's offset, and which lanes. */
const spacings: ReadonlyMap<number, readonly [at: number, next: number, lanes: readonly number[]]> =
  new Map([
    [4, [0, 0, words(0, 1, 2, 3)]],
    [8, [0, 16, words(0, 2, 4, 6)]],
    [-4, [-12, -12, words(3, 2, 1, 0)]],
  ]);

/** A position: its digits, and what has grown with them. */
interface Cursor {
  readonly sizes: readonly number[];
  readonly digits: readonly number[];
  readonly values: readonly { readonly local: number; readonly strides: readonly number[] }[];
}

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
  structure: WindowStructure,
  features: Features,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory(features.sharedMemory);
  new WindowPacking(module.function(packingParameters, [], "k"), structure, features).write();
  return module.finish();
}

const [from, to, side, count, term, terms, guards] = packingParameters.keys();

class WindowPacking {
  readonly #f: FunctionWriter;
  readonly #structure: WindowStructure;
  readonly #features: Features;
  /** Where four sides start: an offset and what each guard checks. */
  readonly #offsets: readonly number[];
  readonly #offsetVector: number;
  readonly #sideGuards: readonly number[];
  /** What the guards start from, whatever the term. */
  readonly #guardStarts: readonly number[];
  /** The present term: its address, and what it adds to each guard. */
  readonly #address: number;
  readonly #termGuards: readonly number[];
  readonly #out: number;
  readonly #run: number;
  readonly #mask: number;

  constructor(f: FunctionWriter, structure: WindowStructure, features: Features) {
    const numbers = (): number[] => structure.guards.map(() => f.local());
    this.#f = f;
    this.#structure = structure;
    this.#features = features;
    this.#offsets = [0, 1, 2, 3].map(() => f.local());
    this.#offsetVector = f.local("v128");
    this.#sideGuards = structure.guards.map(() => f.local("v128"));
    this.#guardStarts = numbers();
    this.#address = f.local();
    this.#termGuards = numbers();
    this.#out = f.local();
    this.#run = f.local();
    this.#mask = f.local("v128");
  }

  write(): void {
    const { step, sides, lines, guards: sizes } = this.#structure;
    const f = this.#f;
    sizes.forEach((_, i) => {
      f.get(guards)
        .load(i32.load, 4 * i)
        .set(this.#guardStarts[i]);
    });
    const cursor: Cursor = {
      sizes: sides,
      digits: sides.map(() => f.local()),
      values: lines.map(({ sides: strides }) => ({ local: f.local(), strides })),
    };
    this.#start(cursor, side);
    const half = f.local();
    const next = f.loop();
    this.#takeSides(cursor);
    this.#writeQuad();
    if (step === 16) {
      f.get(to).get(terms).i32(4).op(i32.shl).op(i32.add).set(to);
    } else {
      // The other half of the panel, or the next panel.
      f.get(to).get(terms).i32(5).op(i32.shl).i32(16).op(i32.sub).i32(16).get(half);
      f.select().op(i32.add).set(to).get(half).op(i32.eqz).set(half);
    }
    f.get(count).i32(0).op(i32.gt_s).brIf(next).end();
  }

  /** Sets the digits and values of a cursor for a number. Values start as they are. */
  #start({ sizes, digits, values }: Cursor, number: number): void {
    const f = this.#f;
    for (let i = sizes.length - 1; i >= 0; i--) {
      f.get(number).i32(sizes[i]).op(i32.rem_u).set(digits[i]);
      f.get(number).i32(sizes[i]).op(i32.div_u).set(number);
      for (const { local, strides } of values) {
        if (strides[i] === 0) continue;
        f.get(digits[i]).i32(strides[i]).op(i32.mul).get(local).op(i32.add).set(local);
      }
    }
  }

  /** Moves a cursor on by one of digit `i`. */
  #next(cursor: Cursor, i: number): void {
    this.#add(cursor.digits[i], 1);
    for (const { local, strides } of cursor.values) this.#add(local, strides[i]);
    if (i === 0) return;
    this.#f.get(cursor.digits[i]).i32(cursor.sizes[i]).op(i32.eq).if();
    this.#carry(cursor, i);
    this.#f.end();
  }

  /** Digit `i` has reached its size: it starts again, and the one before moves on. */
  #carry(cursor: Cursor, i: number): void {
    this.#f.i32(0).set(cursor.digits[i]);
    for (const { local, strides } of cursor.values) {
      this.#add(local, -strides[i] * cursor.sizes[i]);
    }
    this.#next(cursor, i - 1);
  }

  #add(local: number, amount: number): void {
    if (amount !== 0) this.#f.get(local).i32(amount).op(i32.add).set(local);
  }

  /** The next four sides. Beyond the last one are its neighbours, or itself if those may be far away. */
  #takeSides(cursor: Cursor): void {
    const f = this.#f;
    const last = cursor.sizes.length - 1;
    const [offset, ...checked] = cursor.values.map(({ local }) => local);
    for (const [lane, kept] of this.#offsets.entries()) {
      f.get(offset).set(kept);
      f.get(this.#offsetVector).get(kept).op(i32x4.replace_lane, lane).set(this.#offsetVector);
      this.#sideGuards.forEach((vector, i) => {
        f.get(vector).get(checked[i]).op(i32x4.replace_lane, lane).set(vector);
      });
      f.get(count).i32(1).op(i32.sub).tee(count).i32(0).op(i32.gt_s).if();
      this.#next(cursor, last);
      const neighbour = cursor.values[0].strides[last];
      if (spacings.has(neighbour)) {
        f.else();
        this.#add(offset, neighbour);
      }
      f.end();
    }
  }

  /** All terms of four sides. */
  #writeQuad(): void {
    const { sides, terms: digits, lines, patch } = this.#structure;
    const f = this.#f;
    if (patch) {
      this.#eachPatch();
      return;
    }
    const spacing = lines[0].sides[sides.length - 1];
    const termSpacing = lines[0].terms[digits.length - 1];
    if (spacings.has(spacing)) {
      f.i32(1);
      for (let i = 1; i < 4; i++) {
        f.get(this.#offsets[i])
          .get(this.#offsets[i - 1])
          .op(i32.sub);
        f.i32(spacing).op(i32.eq).op(i32.and);
      }
      f.if();
      this.#ifInside((guarded) => this.#eachTerm(() => this.#readSides(spacing, guarded)));
      f.else();
      this.#ifInside((guarded) => this.#eachTerm(() => this.#gather(guarded)));
      f.end();
    } else if (spacings.has(termSpacing) && digits[digits.length - 1] >= 4) {
      this.#eachRun(() => this.#transposeRun(termSpacing));
    } else {
      this.#ifInside((guarded) => this.#eachTerm(() => this.#gather(guarded)));
    }
  }

  /** Writes code for sides of which no guard cuts anything off, whatever the term, and code for others. */
  #ifInside(write: (guarded: boolean) => void): void {
    const { lines, terms: digits, guards: sizes } = this.#structure;
    const f = this.#f;
    if (sizes.length === 0) {
      write(false);
      return;
    }
    const ends = lines.slice(1).map(({ terms: strides }) => {
      const reach = strides.map((stride, i) => stride * (digits[i] - 1));
      const sum = (pick: (a: number, b: number) => number): number =>
        reach.reduce((total, x) => total + pick(x, 0), 0);
      return [sum(Math.min), sum(Math.max)];
    });
    this.#holds(this.#guardStarts, ends);
    f.op(i32x4.all_true).if();
    write(false);
    f.else();
    write(true);
    f.end();
  }

  /** Pushes, for each of the four sides, whether the guards hold with these added. */
  #holds(values: readonly number[], added: readonly (readonly number[])[]): void {
    const f = this.#f;
    let first = true;
    this.#structure.guards.forEach((size, i) => {
      for (const amount of new Set(added[i])) {
        f.get(values[i]);
        if (amount !== 0) f.i32(amount).op(i32.add);
        // One comparison for both ends: below 0 is far above, without a sign.
        f.op(i32x4.splat).get(this.#sideGuards[i]).op(i32x4.add).i32x4(size).op(i32x4.lt_u);
        if (!first) f.op(v128.and);
        first = false;
      }
    });
  }

  /** Goes through the terms in runs along the last digit; `write` does all of a run. */
  #eachRun(write: () => void): void {
    const { terms: sizes, lines } = this.#structure;
    const f = this.#f;
    const last = sizes.length - 1;
    const left = f.local();
    const number = f.local();
    const cursor: Cursor = {
      sizes,
      digits: sizes.map(() => f.local()),
      values: [this.#address, ...this.#termGuards].map((local, i) => ({
        local,
        strides: lines[i].terms,
      })),
    };
    f.get(from).set(this.#address);
    this.#termGuards.forEach((local, i) => {
      f.get(this.#guardStarts[i]).set(local);
    });
    f.get(term).set(number);
    this.#start(cursor, number);
    f.get(to).set(this.#out).get(terms).set(left);
    const next = f.loop();
    f.get(left).i32(sizes[last]).get(cursor.digits[last]).op(i32.sub).tee(this.#run);
    f.get(left).get(this.#run).op(i32.lt_u).select().tee(this.#run);
    f.get(cursor.digits[last]).op(i32.add).set(cursor.digits[last]);
    f.get(left).get(this.#run).op(i32.sub).set(left);
    write();
    if (last > 0) {
      f.get(left).if();
      this.#carry(cursor, last);
      f.br(next).end();
    }
    f.end();
  }

  /** Goes through the terms; `push` leaves the four elements of one on the stack. */
  #eachTerm(push: () => void): void {
    this.#eachRun(() => {
      const f = this.#f;
      const next = f.loop();
      f.get(this.#out);
      push();
      f.store(v128.store);
      this.#moveOn(1);
      f.get(this.#run).brIf(next).end();
    });
  }

  /** Goes through the terms, which are patches. */
  #eachPatch(): void {
    const f = this.#f;
    const write = writePatch(f, this.#features, this.#structure, {
      out: this.#out,
      address: this.#address,
      offsets: this.#offsets,
      offsetVector: this.#offsetVector,
      safe: to,
      pushHolds: (added) => this.#holds(this.#termGuards, added),
    });
    this.#eachRun(() => {
      const next = f.loop();
      write();
      this.#moveOn(1);
      f.get(this.#run).brIf(next).end();
    });
  }

  /** To another term of the same run. */
  #moveOn(by: number): void {
    const { step, terms: sizes, lines } = this.#structure;
    const last = sizes.length - 1;
    [this.#address, ...this.#termGuards].forEach((local, i) => {
      this.#add(local, by * lines[i].terms[last]);
    });
    this.#add(this.#out, by * step);
    this.#add(this.#run, -by);
  }

  /** Sets the mask of the sides that are inside. */
  #setMask(): void {
    this.#holds(
      this.#termGuards,
      this.#termGuards.map(() => [0]),
    );
    this.#f.set(this.#mask);
  }

  /** Pushes the four elements that lie `spacing` apart, from what `address` pushes on. */
  #pushVector(spacing: number, address: () => void): void {
    const [at, next, lanes] = spacings.get(spacing) as [number, number, number[]];
    const f = this.#f;
    address();
    if (at !== 0) f.i32(at).op(i32.add);
    f.load(v128.load);
    if (spacing === 4) return;
    address();
    if (next < 0) f.i32(next).op(i32.add);
    f.load(v128.load, Math.max(next, 0)).op(i8x16.shuffle, ...lanes);
  }

  /** Pushes a term's elements, which lie `spacing` apart. */
  #readSides(spacing: number, guarded: boolean): void {
    const f = this.#f;
    if (guarded) this.#setMask();
    const at = f.local();
    f.get(this.#address).get(this.#offsets[0]).op(i32.add);
    if (guarded) {
      // Far outside there may be no memory.
      f.get(to).get(this.#mask).op(v128.any_true).select();
    }
    f.set(at);
    this.#pushVector(spacing, () => f.get(at));
    if (guarded) f.get(this.#mask).op(v128.and);
  }

  /** Pushes a term's elements, read one by one. */
  #gather(guarded: boolean): void {
    const f = this.#f;
    const places = f.local("v128");
    const read = f.local("v128");
    if (guarded) {
      this.#setMask();
      f.get(this.#address).op(i32x4.splat).get(this.#offsetVector).op(i32x4.add);
      f.get(to).op(i32x4.splat).get(this.#mask).op(v128.bitselect).set(places);
    }
    this.#offsets.forEach((offset, lane) => {
      if (guarded) f.get(places).op(i32x4.extract_lane, lane);
      else f.get(this.#address).get(offset).op(i32.add);
      if (lane === 0) f.load(v128.load32_zero);
      else f.get(read).load(v128.load32_lane, 0, lane);
      f.set(read);
    });
    f.get(read);
    if (guarded) f.get(this.#mask).op(v128.and);
  }

  /** A run of terms, four by four where they are inside for all four sides. */
  #transposeRun(spacing: number): void {
    const { step, terms: sizes, lines, guards: checked } = this.#structure;
    const f = this.#f;
    const last = sizes.length - 1;
    const next = f.loop();
    f.get(this.#run).i32(4).op(i32.ge_u);
    if (checked.length > 0) {
      this.#holds(
        this.#termGuards,
        lines.slice(1).map(({ terms: strides }) => [0, 3 * strides[last]]),
      );
      f.op(i32x4.all_true).op(i32.and);
    }
    f.if();
    const read = this.#offsets.map((offset) => {
      const vector = f.local("v128");
      this.#pushVector(spacing, () => f.get(this.#address).get(offset).op(i32.add));
      f.set(vector);
      return vector;
    });
    transpose(f, read).forEach((push, i) => {
      f.get(this.#out);
      push();
      f.store(v128.store, i * step);
    });
    this.#moveOn(4);
    f.else();
    f.get(this.#out);
    this.#gather(checked.length > 0);
    f.store(v128.store);
    this.#moveOn(1);
    f.end();
    f.get(this.#run).brIf(next).end();
  }
}
