import {
  type Access,
  byteSize,
  type DType,
  type Guard,
  type LoadInstruction,
  remember,
} from "@gradloom/engine";
import type { Inductions } from "./inductions.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { type LaneAddress, pushLoad, pushSplat } from "./lanes.ts";
import type { WrittenStage } from "./loop-nest.ts";
import * as i8x16 from "./opcodes/i8x16.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { StageAnalysis } from "./stage-analysis.ts";
import { words } from "./transpose.ts";
import type { Value } from "./vector-writer.ts";

/** Lanes that are no more than this apart are in memory if one of them is: it does not end within a line of the cache. */
const nearBytes = 16;

/** Writes where the accesses of a stage are in memory, and its loads. */
export class StageMemory {
  /** Whether there is nothing that an index could name. */
  isEmpty: boolean = false;
  readonly #frame: KernelFrame;
  readonly #stage: WrittenStage;
  readonly #inductions: Inductions;
  readonly #analysis: StageAnalysis;
  readonly #valueOf: (instruction: number, copy: number) => Value;
  /** By an index and what it counts in bytes: a local with the product. */
  readonly #offsets = new Map<string, number>();
  /** What the present piece of code has asked guards, and read for other loads as well: locals. */
  readonly #known = new Map<string, number>();

  constructor(
    frame: KernelFrame,
    stage: WrittenStage,
    inductions: Inductions,
    analysis: StageAnalysis,
    read: (instruction: number, copy: number) => Value,
  ) {
    this.#frame = frame;
    this.#stage = stage;
    this.#inductions = inductions;
    this.#analysis = analysis;
    this.#valueOf = read;
  }

  /** Writes how far an instruction moves each of the accesses that it is the index of, if all lanes have the same. */
  keepOffsets(instruction: number): void {
    const { w, sink } = this.#frame;
    const { code, stores } = this.#stage;
    const keep = (index: LoadInstruction["index"], access: Access, dtype: DType): void => {
      if (index?.value !== instruction || this.#analysis.varies[instruction]) return;
      const step = index.stride * this.#inductions.unit(access, dtype);
      const offset = w.fresh("i32");
      this.#valueOf(instruction, 0)();
      w.f.op(i32x4.extract_lane, 0).i32(step).op(i32.mul).set(offset);
      this.#offsets.set(`${instruction} ${step}`, offset);
    };
    for (const i of code) if (i.op === "load") keep(i.index, i.access, i.dtype);
    for (const { value, access } of stores) keep(sink?.index, access, code[value].dtype);
  }

  /** Where the lanes of an access are, its index taken into account. */
  address(
    access: Access,
    dtype: DType,
    copy: number,
    index: LoadInstruction["index"],
  ): LaneAddress {
    const { w } = this.#frame;
    const at = this.#inductions.laneAddress(access, dtype, copy);
    if (!index) return at;
    const step = index.stride * this.#inductions.unit(access, dtype);
    w.f.get(at.pointer);
    if (!this.#analysis.varies[index.value]) {
      const pointer = w.fresh("i32");
      w.f.get(this.#offsets.get(`${index.value} ${step}`) as number);
      w.f.op(i32.add).set(pointer);
      return { ...at, pointer };
    }
    w.f.op(i32x4.splat);
    w.i32(...[0, 1, 2, 3].map((lane) => at.offset + lane * at.stride))();
    w.f.op(i32x4.add);
    w.op(i32x4.mul, this.#valueOf(index.value, copy), w.i32(step))();
    const scattered = w.fresh();
    w.f.op(i32x4.add).set(scattered);
    return { ...at, stride: 0, scattered };
  }

  /**
   * Asks where guards hold, into locals that serve all loads with such guards in a piece of code: what has to hold for anything
   * to be read, and in which lanes something is.
   */
  #askGuards(
    guards: readonly Guard[],
    copy: number,
    width: number,
  ): { readonly conditions: readonly number[]; readonly mask?: Value } {
    const { w } = this.#frame;
    const inductions = this.#inductions;
    const across = guards.filter((guard) => inductions.laneStride(guard) !== 0);
    const others = guards.filter((guard) => !across.includes(guard));
    const conditions: number[] = [];
    if (others.length > 0) {
      const push = (): void => inductions.pushAllInRange(others, new Map());
      conditions.push(this.#once("i32", others, push));
    }
    if (across.length === 0) return { conditions };
    const mask = w.local(this.#once("v128", [across, copy], inductions.inRange(across, copy)));
    const push = (): void => {
      mask();
      if (width === 1) w.f.op(i32x4.extract_lane, 0);
      else w.f.op(v128.any_true);
    };
    conditions.push(this.#once("i32", [across, copy, width], push));
    return { conditions, mask };
  }

  /** A local with what is pushed, the first time that it is asked for in a piece of code. */
  #once(type: "v128" | "i32", what: unknown, push: () => void): number {
    return remember(this.#known, JSON.stringify(what), () => {
      push();
      const local = this.#frame.w.fresh(type);
      this.#frame.w.f.set(local);
      return local;
    });
  }

  /** What is known of one piece of code is not of the next. */
  startPiece(): void {
    this.#known.clear();
  }

  /** Pushes what a load gives in the first `width` lanes. */
  pushLoad(instruction: LoadInstruction, copy: number, width: number): void {
    const { w } = this.#frame;
    const { access, dtype, guards, index, outside = 0 } = instruction;
    if (index && this.isEmpty) {
      w.f.i32x4(0);
      return;
    }
    const at = this.address(access, dtype, copy, index);
    const isApart = at.stride === 8 && byteSize[dtype] === 4 && width === 4;
    const load = (from: LaneAddress): void => {
      if (from.stride === 0 && from.scattered === undefined) pushSplat(w, from);
      else if (isApart && !from.wraps) this.#pushEverySecond(from, copy);
      else pushLoad(w, from, width);
    };
    if (guards.length === 0 || this.#inductions.isInside) {
      load(at);
      return;
    }
    const { conditions, mask } = this.#askGuards(guards, copy, width);
    conditions.forEach((condition, i) => {
      w.f.get(condition);
      if (i > 0) w.f.op(i32.and);
    });
    w.f.if("v128");
    if (!mask || width === 1) load(at);
    else {
      load(this.#near(at, access, mask));
      if (outside !== 0) w.constant(dtype, outside)();
      mask();
      w.f.op(outside === 0 ? v128.and : v128.bitselect);
    }
    w.f.else();
    w.constant(dtype, outside)();
    w.f.end();
  }

  /** Pushes every second element. What lies between them is in the same vectors: another load may ask for it. */
  #pushEverySecond({ pointer, offset }: LaneAddress, copy: number): void {
    const { f } = this.#frame.w;
    const odd = (offset >> 2) & 1;
    for (const next of [0, 16]) {
      const from = offset - 4 * odd + next;
      f.get(this.#once("v128", [pointer, from, copy], () => f.get(pointer).load(v128.load, from)));
    }
    f.op(i8x16.shuffle, ...words(odd, odd + 2, odd + 4, odd + 6));
  }

  /** The same lanes, if any that may not be read could be where there is no memory then at the start of the buffer. */
  #near(at: LaneAddress, access: Access, mask: Value): LaneAddress {
    const { w } = this.#frame;
    const { pointer, offset, stride } = at;
    if (at.scattered === undefined && Math.abs(stride) <= nearBytes) return at;
    const splat = (local: number): Value => w.op(i32x4.splat, w.local(local));
    const lanes = [0, 1, 2, 3].map((lane) => offset + lane * stride);
    const places =
      at.scattered === undefined
        ? w.op(i32x4.add, splat(pointer), w.i32(...lanes))
        : w.local(at.scattered);
    const scattered = w.fresh();
    w.op(v128.bitselect, places, splat(this.#frame.address(access.buffer)), mask)();
    w.f.set(scattered);
    return { ...at, stride: 0, scattered };
  }
}
