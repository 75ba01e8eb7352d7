import { remember } from "@gradloom/engine";
import type { FunctionWriter } from "./assembler.ts";
import * as i32 from "./opcodes/i32.ts";

/** A local with a word behind an address times a number, set at the function's start when first asked for. */
export function wordsAt(f: FunctionWriter, address: number): (i: number, unit?: number) => number {
  const locals = new Map<string, number>();
  return (i, unit = 1) =>
    remember(locals, `${i} ${unit}`, () => {
      const local = f.local();
      f.hoist(() =>
        f
          .get(address)
          .load(i32.load, 4 * i)
          .i32(unit)
          .op(i32.mul)
          .set(local),
      );
      return local;
    });
}

/** What pushes a number times one that the code knows: a number that it is told from the word where that is. */
export function toldNumbers(
  f: FunctionWriter,
  told: readonly number[],
  wordAt: (i: number, unit?: number) => number,
  first: number,
): (number: number, unit?: number) => void {
  return (number, unit = 1) => {
    const i = told.indexOf(number);
    if (i < 0) f.i32(number * unit);
    else f.get(wordAt(first + i, unit));
  };
}
