import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as i64x2 from "./opcodes/i64x2.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/**
 * Writes Philox4x32-10 of `(counter, 0, stream, 0)` and the key `(key0, key1)`, four counters at once:
 * leaves each of the four words of the output in a local of its own.
 */
export function writePhilox(
  w: VectorWriter,
  counter: Value,
  stream: Value,
  key0: Value,
  key1: Value,
  words: readonly number[],
): void {
  const { f } = w;
  const [c0, c1, c2, c3] = words;
  const zero = w.i32(0);
  const keys = [w.fresh(), w.fresh()];
  const initial = [counter, zero, stream, zero, key0, key1];
  for (const value of initial) value();
  for (const local of [keys[1], keys[0], c3, c2, c1, c0]) f.set(local);
  const high = [w.fresh(), w.fresh()];
  const low = [w.fresh(), w.fresh()];
  const round = (): void => {
    for (const [i, [multiplier, c]] of [
      [0xd2511f53, c0] as const,
      [0xcd9e8d57, c2] as const,
    ].entries()) {
      const factors = [w.local(c), w.i32(multiplier | 0)];
      const first = w.keep(w.op(i64x2.extmul_low_i32x4_u, ...factors));
      const second = w.keep(w.op(i64x2.extmul_high_i32x4_u, ...factors));
      for (const [local, byte] of [[low[i], 0] as const, [high[i], 4] as const]) {
        first();
        second();
        // The lower or the upper half of each of the four products.
        const lanes = [byte, byte + 8, byte + 16, byte + 24];
        f.op(i8x16.shuffle, ...lanes.flatMap((b) => [b, b + 1, b + 2, b + 3])).set(local);
      }
    }
    w.op(v128.xor, w.op(v128.xor, w.local(high[1]), w.local(c1)), w.local(keys[0]))();
    f.set(c0);
    w.op(v128.xor, w.op(v128.xor, w.local(high[0]), w.local(c3)), w.local(keys[1]))();
    f.set(c2).get(low[1]).set(c1).get(low[0]).set(c3);
    for (const [i, step] of [0x9e3779b9, 0xbb67ae85].entries()) {
      f.get(keys[i]);
      w.i32(step | 0)();
      f.op(i32x4.add).set(keys[i]);
    }
  };
  for (let i = 0; i < 10; i++) w.scope(round);
}
