import type { FunctionWriter } from "./assembler.ts";
import * as i32 from "./opcodes/i32.ts";

/** What is written for where guards hold need not check them. */
export interface Guarded {
  /** Pushes whether all guards hold in the next iteration. */
  pushInside(): void;
  assumeInside(isInside: boolean): void;
}

/**
 * Writes a loop that runs at least once, and again while `pushMore` pushes that there is more to do. Iterations in which no
 * guard fails, as almost all in a picture, are a loop of their own in it: what the others need takes none of its registers.
 */
export function writeInsideLoop(
  f: FunctionWriter,
  guards: Guarded | undefined,
  body: () => void,
  pushMore: () => void,
): void {
  const done = f.block();
  const again = f.loop();
  if (guards) {
    guards.pushInside();
    f.if();
    const inside = f.loop();
    guards.assumeInside(true);
    body();
    guards.assumeInside(false);
    pushMore();
    f.i32(0).op(i32.ne);
    guards.pushInside();
    f.op(i32.and).brIf(inside).end();
    pushMore();
    f.brIf(again).br(done).end();
  }
  body();
  pushMore();
  f.brIf(again).end().end();
}
