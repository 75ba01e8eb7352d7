import type { FunctionWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import * as f32x4 from "./opcodes/f32x4.ts";

/*
 * Winograd's algorithm for windows of 3 × 3: with polynomials of degree 5, given by their values at six points,
 *
 *     y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A        y: 4 × 4 results, w: 3 × 3 taps, x: 6 × 6 elements
 *
 * takes 36 products instead of 144. The gradient of w is the transpose: Gᵀ [(A y Aᵀ) ⊙ (Bᵀ x B)] G. A and G evaluate at
 * 0, ±p, ±q and ∞; the points are chosen for small rounding errors, twice those of the direct sum.
 * Lavin & Gray 2016, https://arxiv.org/abs/1509.09308
 */

/** Results, and elements, along an axis of a tile. */
export const tileSize = 4;
export const patchSize = 6;
/** Products of a tile. */
export const layers: number = patchSize ** 2;

const points = [11 / 16, 3 / 2];
const [p2, q2] = points.map((point) => point ** 2);
/** What products are divided by, at 0, ±p and ±q: a factor of the taps. */
const divisors = [p2 * q2, 2 * p2 * (p2 - q2), 2 * q2 * (q2 - p2)];

/** A number that is added: a local times a factor. */
type Term = readonly [local: number, factor: number];

/** Pushes a value. */
type Push = () => void;

/** Pushes a vector's elements along one axis, transformed, given the locals that hold them. */
type Transform = (x: readonly number[]) => Push[];

/** Writes the transforms, each along one axis. */
export class Winograd {
  readonly #f: FunctionWriter;
  readonly #features: Features;
  readonly #locals: number[];

  constructor(f: FunctionWriter, features: Features) {
    this.#f = f;
    this.#features = features;
    this.#locals = f.locals(4, "v128");
  }

  /** `Bᵀ`. */
  readonly elements: Transform = (x) => {
    const ends = (i: number) => () =>
      this.#push([
        [x[i], p2 * q2],
        [x[i + 2], -p2 - q2],
        [x[i + 4], 1],
      ]);
    const pairs = points.flatMap((p, i) => {
      const other = [q2, p2][i];
      const even: Term[] = [
        [x[2], -other],
        [x[4], 1],
      ];
      return this.#pair(i, even, [
        [x[1], -p * other],
        [x[3], p],
      ]);
    });
    return [ends(0), ...pairs, ends(1)];
  };

  /** `A` for four numbers, `G` for three. */
  readonly evaluate: Transform = (x) => {
    const scale = scales(x.length);
    const terms = (i: number, odd: number): Term[] =>
      x
        .map((local, k): Term => [local, scale[i + 1] * points[i] ** k])
        .filter((_, k) => k % 2 === odd);
    const pairs = points.flatMap((_, i) => this.#pair(i, terms(i, 0), terms(i, 1)));
    const last = x[x.length - 1];
    return [() => this.#push([[x[0], scale[0]]]), ...pairs, () => this.#push([[last, 1]])];
  };

  /** `Aᵀ` for four results, `Gᵀ` for three. */
  gather(size: number): Transform {
    const scale = scales(size);
    return (x) => {
      const both = [1, 3].flatMap((at, i) => {
        for (const [odd, op] of ([f32x4.add, f32x4.sub] as const).entries()) {
          this.#f
            .get(x[at])
            .get(x[at + 1])
            .op(op)
            .set(this.#locals[2 * i + odd]);
        }
        return [i];
      });
      return Array.from({ length: size }, (_, k) => () => {
        const terms = both.map((i): Term => {
          return [this.#locals[2 * i + (k % 2)], scale[i + 1] * points[i] ** k];
        });
        if (k === 0) terms.push([x[0], scale[0]]);
        if (k === size - 1) terms.push([x[5], 1]);
        this.#push(terms);
      });
    };
  }

  /** Transforms along both axes; `row` gives the locals with a row, or undefined behind the last; `store` takes each element. */
  both(
    one: Transform,
    rows: number,
    row: (i: number) => readonly number[],
    store: (i: number, j: number, push: Push) => void,
  ): void {
    const columns: number[][] = [];
    for (let i = 0; i < rows; i++) {
      one(row(i)).forEach((push, j) => {
        const local = this.#f.local("v128");
        push();
        this.#f.set(local);
        columns[j] = [...(columns[j] ?? []), local];
      });
    }
    columns.forEach((column, j) => {
      one(column).forEach((push, i) => {
        store(i, j, push);
      });
    });
  }

  /** The sum and the difference of two sums. */
  #pair(i: number, even: readonly Term[], odd: readonly Term[]): Push[] {
    const [a, b] = this.#locals.slice(2 * i);
    this.#push(even);
    this.#f.set(a);
    this.#push(odd);
    this.#f.set(b);
    return ([f32x4.add, f32x4.sub] as const).map((op) => () => {
      this.#f.get(a).get(b).op(op);
    });
  }

  /** Pushes a sum. */
  #push([[local, factor], ...rest]: readonly Term[]): void {
    const f = this.#f;
    f.get(local);
    if (rest.length === 0) {
      if (factor !== 1) f.f32x4(factor).op(f32x4.mul);
    } else if (factor === 1) {
      this.#push(rest);
      f.op(f32x4.add);
    } else {
      f.f32x4(factor);
      if (!this.#features.relaxedSimd) f.op(f32x4.mul);
      this.#push(rest);
      f.op(this.#features.relaxedSimd ? f32x4.relaxed_madd : f32x4.add);
    }
  }
}

/** The factors at 0, ±p and ±q: those of the taps are three. */
function scales(size: number): readonly number[] {
  return divisors.map((divisor) => (size === 3 ? 1 / divisor : 1));
}
