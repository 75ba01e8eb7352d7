import type { FunctionWriter } from "./assembler.ts";
import * as i8x16 from "./opcodes/i8x16.ts";

/** The bytes of these words of two vectors, for a shuffle. */
export const words = (...lanes: readonly number[]): number[] =>
  lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));

/** Transposes four vectors in locals: what is returned pushes one of the results each. */
export function transpose(f: FunctionWriter, rows: readonly number[]): (() => void)[] {
  const halves = [words(0, 4, 1, 5), words(2, 6, 3, 7)].flatMap((lanes) =>
    [0, 2].map((i) => {
      const half = f.local("v128");
      f.get(rows[i])
        .get(rows[i + 1])
        .op(i8x16.shuffle, ...lanes)
        .set(half);
      return half;
    }),
  );
  return [0, 1, 2, 3].map((i) => () => {
    const [low, high] = halves.slice(i & 2);
    f.get(low).get(high);
    f.op(i8x16.shuffle, ...(i % 2 === 0 ? words(0, 1, 4, 5) : words(2, 3, 6, 7)));
  });
}
