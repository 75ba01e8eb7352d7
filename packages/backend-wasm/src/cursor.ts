import type { FunctionWriter } from "./assembler.ts";
import * as i32 from "./opcodes/i32.ts";

/** A position: its digits, and what has grown with them. */
export interface Cursor {
  /** The first one does not matter. */
  readonly sizes: readonly number[];
  /** Pushes one of them, or a stride. */
  readonly push: (number: number) => void;
  readonly digits: readonly number[];
  readonly values: readonly { readonly local: number; readonly strides: readonly number[] }[];
}

/** Sets the digits and values of a cursor for a number. Values start as they are. */
export function startCursor(
  f: FunctionWriter,
  { sizes, digits, values, push }: Cursor,
  number: number,
): void {
  for (let i = sizes.length - 1; i >= 0; i--) {
    f.get(number);
    if (i > 0) {
      push(sizes[i]);
      f.op(i32.rem_u).set(digits[i]).get(number);
      push(sizes[i]);
      f.op(i32.div_u).set(number);
    } else f.set(digits[i]); // The number is in range: what is left of it is the first digit.
    for (const { local, strides } of values) {
      f.get(digits[i]);
      push(strides[i]);
      f.op(i32.mul).get(local).op(i32.add).set(local);
    }
  }
}

/** Moves a cursor on by one of digit `i`. */
export function moveCursor(f: FunctionWriter, cursor: Cursor, i: number): void {
  const { sizes, digits, values, push } = cursor;
  if (i < 0) return;
  f.add(digits[i], 1);
  for (const { local, strides } of values) {
    f.get(local);
    push(strides[i]);
    f.op(i32.add).set(local);
  }
  if (i === 0) return;
  f.get(digits[i]);
  push(sizes[i]);
  f.op(i32.eq).if();
  carryCursor(f, cursor, i);
  f.end();
}

/** Digit `i` has reached its size: it starts again, and the one before moves on. */
export function carryCursor(f: FunctionWriter, cursor: Cursor, i: number): void {
  const { sizes, digits, values, push } = cursor;
  f.i32(0).set(digits[i]);
  for (const { local, strides } of values) {
    f.get(local);
    push(strides[i]);
    push(sizes[i]);
    f.op(i32.mul).op(i32.sub).set(local);
  }
  moveCursor(f, cursor, i - 1);
}
