import type { KernelFrame } from "./kernel-frame.ts";
import { withStrides } from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Padding } from "./padding.ts";
import { StageWriter } from "./stage-writer.ts";

/** Writes the making of the copies that windows read. What is around them is written once a call. */
export class CopyWriter {
  readonly #frame: KernelFrame;
  readonly #prefix: number;
  readonly #writers: readonly StageWriter[];
  /** A local: whether the copies are those of other positions in the first outer loops. */
  readonly #stale: number;

  constructor(frame: KernelFrame, { prefix, copies }: Padding) {
    const { w, outer } = frame;
    const { f } = w;
    this.#frame = frame;
    this.#prefix = prefix;
    this.#stale = f.local("i32");
    f.i32(1).set(this.#stale);
    this.#writers = copies.map((copy) => {
      const others = outer.slice(prefix).fill(0);
      const stage = withStrides(copy, (strides) => [
        ...strides.slice(0, prefix),
        ...others,
        ...strides.slice(prefix),
      ]);
      const pointer = f.local("i32");
      const start = frame.address(copy.stores[0].access.buffer);
      f.get(start).set(pointer);
      const again = f.loop();
      f.get(pointer);
      w.constant(copy.dtype, copy.outside)();
      f.store(v128.store).add(pointer, 16);
      const bytes = 4 * copy.length;
      f.get(pointer).get(start).op(i32.sub).i32(bytes).op(i32.lt_u).brIf(again).end();
      const writer = new StageWriter({ ...frame, lanesAcross: false }, stage, []);
      writer.writeStart();
      return writer;
    });
  }

  /** Writes the copying, where it is to be done. */
  write(): void {
    const { w, lanes } = this.#frame;
    w.f.get(this.#stale).if();
    for (const writer of this.#writers) {
      w.scope(() => {
        writer.writeRowStart();
        writer.writeRow(lanes, 1);
      });
    }
    w.f.end();
  }

  /** Written behind each row. */
  end(): void {
    const { w, digits } = this.#frame;
    w.f.i32(0);
    for (const digit of digits.slice(this.#prefix)) w.f.get(digit).op(i32.or);
    w.f.op(i32.eqz).set(this.#stale);
  }
}
