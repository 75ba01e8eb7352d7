import type { Access, DType, Guard, LoadInstruction } from "@gradloom/engine";
import type { Inductions } from "./inductions.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { type LaneAddress, pushLoad, pushLoadLane, pushSplat } from "./lanes.ts";
import type { StageAnalysis } from "./stage-analysis.ts";
import type { Value } from "./vector-writer.ts";

/** Writes where the accesses of a stage are in memory, and its loads. */
export class StageMemory {
  /** Whether there is nothing that an index could name. */
  isEmpty: boolean = false;
  /** Whether all guards hold in the inner loops that are being written. */
  isInside: boolean = false;
  readonly #frame: KernelFrame;
  readonly #inductions: Inductions;
  readonly #analysis: StageAnalysis;
  readonly #valueOf: (instruction: number, copy: number) => Value;
  /** By an index and what it counts in bytes: a local with the product. */
  readonly #offsets = new Map<string, number>();

  constructor(
    frame: KernelFrame,
    inductions: Inductions,
    analysis: StageAnalysis,
    read: (instruction: number, copy: number) => Value,
  ) {
    this.#frame = frame;
    this.#inductions = inductions;
    this.#analysis = analysis;
    this.#valueOf = read;
  }

  /** Writes how far an instruction moves each of the accesses that it is the index of, if all lanes have the same. */
  keepOffsets(instruction: number): void {
    const { w } = this.#frame;
    for (const step of this.#analysis.indexSteps[instruction]) {
      const offset = w.fresh("i32");
      this.#valueOf(instruction, 0)();
      w.f.op("i32x4.extract_lane", 0).i32(step).op("i32.mul").set(offset);
      this.#offsets.set(`${instruction} ${step}`, offset);
    }
  }

  /** Where the lanes of an access are, its index taken into account. */
  address(
    access: Access,
    dtype: DType,
    copy: number,
    index: LoadInstruction["index"],
    wraps = false,
  ): LaneAddress {
    const { w } = this.#frame;
    const at = this.#inductions.laneAddress(access, dtype, copy, wraps);
    if (index === undefined) return at;
    const step = index.stride * this.#inductions.unit(access, dtype);
    w.f.get(at.pointer);
    if (!this.#analysis.varies[index.value]) {
      const pointer = w.fresh("i32");
      w.f.get(this.#offsets.get(`${index.value} ${step}`) as number);
      w.f.op("i32.add").set(pointer);
      return { ...at, pointer };
    }
    w.f.op("i32x4.splat");
    w.i32(...[0, 1, 2, 3].map((lane) => at.offset + lane * at.stride))();
    w.f.op("i32x4.add");
    const bits = Math.log2(step);
    const indices = this.#valueOf(index.value, copy);
    if (Number.isInteger(bits)) w.shift("i32x4.shl", indices, bits)();
    else w.op("i32x4.mul", indices, w.i32(step))();
    const scattered = w.fresh();
    w.f.op("i32x4.add").set(scattered);
    return { ...at, stride: 0, scattered };
  }

  /** Pushes what a load gives in the first `width` lanes; `varies` says whether it differs from lane to lane. */
  pushLoad(instruction: LoadInstruction, copy: number, varies: boolean, width: number): void {
    const { w } = this.#frame;
    const { access, dtype, guards, index } = instruction;
    if (index !== undefined && this.isEmpty) {
      w.f.i32x4(0);
      return;
    }
    const at = this.address(access, dtype, copy, index, guards.length > 0);
    const load = (): void => {
      if (at.stride === 0 && at.scattered === undefined) pushSplat(w, at);
      else pushLoad(w, at, width);
    };
    if (guards.length === 0 || this.isInside) {
      load();
      return;
    }
    // All lanes are in range if the first and the last are.
    this.#inductions.pushInRange(guards, copy, varies ? [0, width - 1] : [0]);
    w.f.if("v128");
    load();
    w.f.else().i32x4(0);
    if (varies) this.#replaceLanesInRange(at, guards, copy, width);
    w.f.end();
  }

  #replaceLanesInRange(
    at: LaneAddress,
    guards: readonly Guard[],
    copy: number,
    width: number,
  ): void {
    const { w } = this.#frame;
    const value = w.fresh();
    w.f.set(value);
    for (let lane = 0; lane < width; lane++) {
      this.#inductions.pushInRange(guards, copy, [lane]);
      w.f.if();
      pushLoadLane(w, at, lane, w.local(value));
      w.f.set(value).end();
    }
    w.f.get(value);
  }
}
