import * as i8x16 from "./opcodes/i8x16.ts";
import { words } from "./transpose.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** The upper two lanes of a value, in the place of the lower ones. */
export function upperHalf(w: VectorWriter, value: Value): Value {
  return shuffled(w, value, value, words(2, 3, 2, 3));
}

/** The lower two lanes of one value, and those of another behind them. */
export function joinHalves(w: VectorWriter, low: Value, high: Value): Value {
  return shuffled(w, low, high, words(0, 1, 4, 5));
}

function shuffled(w: VectorWriter, a: Value, b: Value, bytes: readonly number[]): Value {
  return () => {
    a();
    b();
    w.f.op(i8x16.shuffle, ...bytes);
  };
}
