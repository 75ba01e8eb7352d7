import { type CheckInstruction, remember } from "@gradloom/engine";
import type { FunctionWriter } from "./assembler.ts";
import * as control from "./control-block.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/**
 * Pushes indices, with 0 for those that are out of range. The first that is found to be so, by any thread, is left in
 * the control block. Only the first `width` lanes count.
 */
export function pushChecked(
  w: VectorWriter,
  indices: Value,
  { size, name }: CheckInstruction,
  width: number,
): void {
  const { f } = w;
  const kept = w.keep(indices);
  // Below 0 is far above, without a sign.
  const outside = w.op(i32x4.ge_u, kept, w.i32(size));
  const counted = w.firstLanes(width);
  const mask = w.keep(width === 4 ? outside : w.op(v128.and, outside, counted));
  mask();
  f.op(v128.any_true).if("v128");
  kept();
  f.i32(size).i32(name).call(faultFunction(w).index);
  w.op(v128.andnot, kept, mask)();
  f.else();
  kept();
  f.end();
}

function faultFunction(w: VectorWriter): FunctionWriter {
  return remember(w.laneFunctions, "fault", () => writeFault(w));
}

/** `(indices, size, name)`: records the first index that is out of range, unless there is one already. */
function writeFault(w: VectorWriter): FunctionWriter {
  const f = w.module.function(["v128", "i32", "i32"]);
  const [indices, size, name] = [0, 1, 2];
  const index = f.local();
  const found = f.block();
  // Lanes that do not count come last.
  for (let lane = 0; lane < 4; lane++) {
    f.get(indices).op(i32x4.extract_lane, lane).tee(index).get(size).op(i32.ge_u).brIf(found);
  }
  f.end();
  if (w.features.sharedMemory) {
    f.i32(0).i32(0).i32(1).load(i32.atomic_rmw_cmpxchg, control.fault);
  } else {
    f.i32(0).load(i32.load, control.fault);
    f.i32(0).i32(1).store(i32.store, control.fault);
  }
  f.if();
  f.return().end();
  f.i32(0).get(index).store(i32.store, control.faultIndex);
  f.i32(0).get(size).store(i32.store, control.faultSize);
  f.i32(0).get(name).store(i32.store, control.faultName);
  return f;
}
