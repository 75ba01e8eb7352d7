import { spliced } from "@gradloom/engine";
import type { KernelFrame } from "./kernel-frame.ts";
import { withStrides } from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Padding } from "./padding.ts";
import { StageWriter } from "./stage-writer.ts";

/**
 * Writes what is around the copies that windows read, once a call. Returns what writes the copying, before each row: it is
 * done at the first one, and when all but the first outer loops begin again.
 */
export function writeAround(frame: KernelFrame, { prefix, copies }: Padding): () => void {
  const { w, outer, digits, lanes } = frame;
  const { f } = w;
  const writers = copies.map((copy) => {
    const { dtype, outside, length, stores } = copy;
    const pointer = f.local();
    const start = frame.address(stores[0].access.buffer);
    f.get(start).set(pointer);
    const again = f.loop();
    f.get(pointer);
    w.constant(dtype, outside)();
    f.store(v128.store).add(pointer, 16);
    f.get(pointer)
      .get(start)
      .op(i32.sub)
      .i32(4 * length)
      .op(i32.lt_u)
      .brIf(again)
      .end();
    const others = outer.slice(prefix).fill(0);
    const stage = withStrides(copy, (strides) => spliced(strides, prefix, 0, ...others));
    const writer = new StageWriter({ ...frame, lanesAcross: false }, stage, []);
    writer.writeStart();
    return writer;
  });
  const isLater = f.local();
  return () => {
    f.i32(0);
    for (const digit of digits.slice(prefix)) f.get(digit).op(i32.or);
    f.op(i32.eqz).get(isLater).op(i32.eqz).op(i32.or).if();
    for (const writer of writers) {
      w.scope(() => {
        writer.writeRowStart();
        writer.writeRow(lanes, 1);
      });
    }
    f.i32(1).set(isLater).end();
  };
}
