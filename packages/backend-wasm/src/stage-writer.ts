import {
  type Access,
  byteSize,
  type Guard,
  type LoadInstruction,
  remember,
  type Store,
  sameShape,
} from "@gradloom/engine";
import { Inductions, wideBlock, wideRow } from "./inductions.ts";
import { type Guarded, writeInsideLoop } from "./inside-loop.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { writeByTurns, writeStore } from "./lanes.ts";
import { countIterations, type Term, type WrittenStage } from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import { createReduction, type Reduction } from "./reduction.ts";
import { Scan } from "./scan.ts";
import { analyseStage, type StageAnalysis } from "./stage-analysis.ts";
import { StageValues } from "./stage-values.ts";
import { hasLongSums, laneLoopOf } from "./told-numbers.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** Long sums are sums of sums of so many terms. */
const termsOfPartialSum = 256;

/** Partial results that stay in registers, with what is combined with them. */
const mostAccumulators = 8;

/**
 * V8 moves all loads of a piece of code ahead of all sums, and spills what registers do not hold of more vectors than this.
 * A way out after each few sums, which is never taken, ties them to their place.
 */
const mostVectors = 17;
const sumsTied = 3;

/** Writes the loops of a stage, and what is done with its values: results and stores. */
export class StageWriter implements Guarded {
  /** How many vectors are worked on at once, independently of each other. */
  readonly unroll: number;
  readonly #frame: KernelFrame;
  readonly #w: VectorWriter;
  readonly #stage: WrittenStage;
  readonly #earlier: readonly StageWriter[];
  /** The loop along which the lanes lie, or -1: there is none, each value is one for all lanes. */
  readonly #laneLoop: number;
  readonly #inductions: Inductions;
  readonly #analysis: StageAnalysis;
  readonly #reductions: readonly Reduction[];
  /** By the instruction with which all is known that a result combines. */
  readonly #terms = new Map<number, [result: number, term: Term][]>();
  /** For each scan, for each copy if lanes lie across rows. */
  readonly #scans = new Map<number, readonly Scan[]>();
  readonly #values: StageValues;
  /** How many vectors are being written. */
  #copies = 1;

  constructor(frame: KernelFrame, stage: WrittenStage, earlier: readonly StageWriter[]) {
    const { outer, lanes, lanesAcross } = frame;
    const { inner, code, results } = stage;
    this.#frame = frame;
    this.#w = frame.w;
    this.#stage = stage;
    this.#earlier = earlier;
    this.#laneLoop = laneLoopOf(stage, outer, lanesAcross);
    this.#inductions = new Inductions(frame, stage, this.#laneLoop);
    this.#analysis = analyseStage(frame, stage, this.#inductions);
    this.#values = new StageValues(
      frame,
      stage,
      this.#inductions,
      this.#analysis,
      this.#scans,
      (result, copy) => earlier[result.stage].result(result.result, copy),
    );
    // Small bodies and long chains need several vectors to hide latencies, others would run out of registers.
    const { cost, isLong } = this.#analysis;
    const hasLong = isLong.includes(true);
    const fit = cost <= 8 || (cost <= 60 && hasLong) ? 4 : cost <= 30 || hasLong ? 2 : 1;
    // At an edge, all vectors of a block are checked.
    const checked = cost > 2 && !hasLong && this.#guards().length > 0;
    // The loads of a sum that is written out come first, and are kept until then: those of one vector are enough.
    const isWrittenOut = results.some(({ terms }) => terms.length > 1);
    const parts = isWrittenOut ? code.length / 3 : results.length;
    const sums = Math.max(1, Math.floor(mostAccumulators / (parts || 1)));
    // What is left over of sixteen points is known, and so must be what is left of a block.
    const some = checked ? 1 : Math.min(fit, lanesAcross ? sums : 1 << Math.log2(sums));
    const most = cost <= 4 && this.#isWide() ? wideBlock / lanes : some;
    const vectors = lanesAcross ? Infinity : Math.floor((inner[inner.length - 1] ?? 0) / lanes);
    this.unroll = Math.max(1, Math.min(most, vectors));
    for (const [i, instruction] of code.entries()) {
      if (instruction.op !== "scan" || inner.length === 0) continue;
      const copies = Array.from({ length: lanesAcross ? this.unroll : 1 });
      this.#scans.set(
        i,
        copies.map(() => new Scan(this.#w, instruction, lanesAcross)),
      );
    }
    this.#values.memory.isEmpty =
      earlier.some((writer) => writer.#values.memory.isEmpty) ||
      code.some((instruction) => instruction.op === "check" && instruction.size === 0);
    const long = hasLongSums(stage, lanesAcross);
    this.#reductions = results.map(({ reduce, dtype, terms }, r) => {
      for (const term of terms) {
        const known = Math.max(term.value, term.position ?? 0);
        remember(this.#terms, known, (): [number, Term][] => []).push([r, term]);
      }
      return createReduction(this.#w, reduce, dtype, long, lanesAcross);
    });
  }

  /** Whether rows are read across, as for the sum of many rows: two lines of the cache of each are better than one. */
  #isWide(): boolean {
    const { outer, lanes, lanesAcross, firstScratch } = this.#frame;
    const { inner, code, stores } = this.#stage;
    if (!lanesAcross || lanes === 1 || (inner.length === 0 && this.#earlier.length === 0))
      return false;
    return (
      outer[outer.length - 1] >= wideRow &&
      stores.every(({ access }) => access.buffer < firstScratch) &&
      code.every((i) => i.op !== "load" || (!i.guards.length && i.access.buffer < firstScratch))
    );
  }

  /** Writes what depends on no loop, once a call. */
  writeStart(): void {
    this.#inductions.start("call");
    this.#values.width = this.#frame.lanes;
    this.#writeLevel(0);
  }

  /** Writes what depends only on the outer loops without lanes. Its locals serve the whole row. */
  writeRowStart(): void {
    this.#inductions.start("row");
    if (this.#analysis.rowLevel > 1) this.#writeLevel(1);
  }

  /** Takes the locals of the results, in the scope of the row. */
  takeResults(copies: number): void {
    for (const reduction of this.#reductions) reduction.take(copies);
  }

  /** Writes the loops for one point of the outer loops, or for a block of neighbouring points. */
  writeRow(width: number, copies: number): void {
    const w = this.#w;
    const stage = this.#stage;
    const frame = this.#frame;
    this.#values.width = width;
    this.#copies = frame.lanesAcross ? copies : 1;
    for (const reduction of this.#reductions) reduction.start();
    w.scope(() => {
      this.#writeLevel(this.#analysis.rowLevel);
      if (stage.inner.length === 0 || countIterations(stage.inner) === 0) return;
      for (const scans of this.#scans.values()) {
        for (const scan of scans.slice(0, this.#copies)) scan.start();
      }
      this.#writeInner(0);
    });
    const isSpread = this.#laneLoop >= 0 && frame.lanes > 1;
    for (const reduction of this.#reductions) reduction.finish(isSpread);
  }

  /** A result of this stage, for later stages of the same row. */
  result(index: number, copy: number): Value {
    return this.#reductions[index].value(copy);
  }

  /** Moves on along the loop with the lanes. */
  advance(lanes: number): void {
    this.#inductions.advance(this.#laneLoop, lanes);
  }

  /** The guards of loads in the inner loops, or where there are none, in a block of rows. */
  #guards(): readonly Guard[] {
    const { levels, rowLevel, pointLevel } = this.#analysis;
    return this.#stage.code.flatMap((instruction, i) =>
      instruction.op === "load" && levels[i] >= Math.min(rowLevel + 1, pointLevel)
        ? instruction.guards
        : [],
    );
  }

  /** Whether it reads something that may not be there. */
  get isGuarded(): boolean {
    return this.#laneLoop >= 0 && this.#guards().length > 0;
  }

  /** Pushes whether all is there that the next lanes read; or with lanes across rows, the next block of them. */
  pushInside(width: number = this.#values.width, copies: number = this.#copies): void {
    const { outer, lanesAcross } = this.#frame;
    const inner = lanesAcross ? this.#stage.inner : [];
    const reach = new Map(inner.map((size, i) => [outer.length + i, size - 1]));
    reach.set(this.#laneLoop, width * copies - 1);
    this.#inductions.pushAllInRange(this.#guards(), reach);
  }

  /** What is written next need not check whether what it reads is there, or has to. */
  assumeInside(isInside: boolean): void {
    this.#inductions.isInside = isInside;
  }

  // Loops

  #writeInner(which: number): void {
    const w = this.#w;
    const stage = this.#stage;
    const loop = this.#frame.outer.length + which;
    const innermost = which + 1 === stage.inner.length;
    w.scope(() => {
      this.#inductions.within(loop, (next) => {
        if (loop === this.#laneLoop) {
          this.#ifWanted(() => this.#writeLaneLoop(stage.inner[which]));
          return;
        }
        this.#repeat(stage.inner[which], 1, innermost, () => {
          this.#writeLevel(this.#analysis.rowLevel + 1 + which);
          if (!innermost) this.#writeInner(which + 1);
          next();
        });
      });
    });
  }

  /** Writes what is left out if all points of the innermost loop have an index that the sink does not want. */
  #ifWanted(write: () => void): void {
    const { index, isWanted } = this.#frame.sink ?? {};
    if (!index || !isWanted || this.#analysis.varies[index.value]) {
      write();
      return;
    }
    isWanted(this.#values.of(index.value, 0), 0);
    this.#w.f.if();
    write();
    this.#w.f.end();
  }

  #writeLaneLoop(size: number): void {
    const { lanes } = this.#frame;
    const block = this.unroll * lanes;
    const guards = this.isGuarded ? this : undefined;
    const part = (length: number, copies: number, width: number): void => {
      this.#values.width = width;
      this.#copies = copies;
      const write = (): void => {
        this.#writeLevel(this.#analysis.pointLevel);
        this.advance(width * copies);
      };
      this.#repeat(length, width * copies, true, write, guards);
    };
    part(size, this.unroll, lanes);
    part(size % block, 1, lanes);
    part(size % lanes, 1, size % lanes);
  }

  /**
   * Writes a loop that takes so many points in each iteration, as often as all of them are there. A length that the code does
   * not know is enough for one. If it has terms of long sums, those become sums of sums.
   */
  #repeat(
    size: number,
    points: number,
    hasTerms: boolean,
    write: () => void,
    guards?: Guarded,
  ): void {
    const w = this.#w;
    const { f } = w;
    const { told, push } = this.#frame;
    const count = Math.floor(size / points);
    if (!(count > 0)) return;
    const long = hasTerms && this.#reductions.some((reduction) => reduction.long);
    const addPartialSums = (): void => {
      for (const reduction of this.#reductions) if (long) reduction.addPartialSums();
    };
    w.scope(() => {
      if (count === 1 && !guards && !told.includes(size)) {
        write();
        addPartialSums();
        return;
      }
      const counter = w.fresh("i32");
      push(size);
      f.i32(points).op(i32.div_u).set(counter);
      const body = (): void => {
        w.scope(write);
        f.add(counter, -1);
        if (!long) return;
        f.get(counter).i32(termsOfPartialSum).op(i32.rem_u).op(i32.eqz).if();
        addPartialSums();
        f.end();
      };
      writeInsideLoop(f, guards, body, () => f.get(counter));
    });
  }

  // Code

  #writeLevel(level: number): void {
    const w = this.#w;
    const { levels, varies, inlined, isLong, pointLevel } = this.#analysis;
    this.#values.startPiece();
    const isHere = levels.map((own, i) => own === level && !inlined[i]);
    const here = [...levels.keys()].filter((i) => isHere[i]);
    for (const i of here) {
      if (!varies[i]) this.#values.write(i, 0);
    }
    const copies = [...Array(this.#copies).keys()];
    const { code, results } = this.#stage;
    let vectors = results.length;
    for (const i of here) {
      const { op, access } = code[i] as LoadInstruction;
      if (op === "load") vectors += Math.min(2, Math.abs(this.#inductions.laneStride(access)));
    }
    const isTied = level === pointLevel && vectors > mostVectors;
    // Of sums to which one value is added, the first would be the same on all ways out from behind it, and wait for the end.
    const isEach = results.every(({ terms }) => terms.length === 1);
    const write = (list: readonly number[]): void => {
      const out = isTied ? w.f.block() : 0;
      let sums = 0;
      // Arguments do not begin at an odd address, but V8 does not know.
      const tie = (): void => {
        w.f.get(0);
        w.f
          .i32(2 * sums + 1)
          .op(i32.eq)
          .brIf(out);
      };
      for (const i of levels.keys()) {
        if (varies[i] && isHere[i]) {
          for (const copy of list) this.#values.write(i, copy);
        }
        if (level !== pointLevel) continue;
        const isSum = isTied && this.#terms.has(i);
        if (isSum && isEach && sums % sumsTied === 0) tie();
        // As soon as it is known, so that it need not be kept.
        for (const copy of list) w.scope(() => this.#combine(i, copy));
        if (isSum && ++sums % sumsTied === 0 && !isEach) tie();
      }
      if (isTied) w.f.end();
      if (level === pointLevel) for (const copy of list) w.scope(() => this.#writeStores(copy));
    };
    if (here.some((i) => isLong[i])) write(copies);
    else for (const copy of copies) write([copy]);
  }

  #writeStores(copy: number): void {
    const { code, stores } = this.#stage;
    const { sink } = this.#frame;
    const done = new Set<Store>();
    for (const store of stores) {
      if (done.has(store)) continue;
      const { value, access } = store;
      if (sink) {
        const at = this.#values.memory.address(access, code[value].dtype, copy, sink.index);
        sink.write(at, this.#laneLoop < 0 ? 1 : this.#values.width, (i) =>
          this.#values.of(i, copy),
        );
        continue;
      }
      const at = this.#inductions.laneAddress(access, code[value].dtype, copy);
      const width = this.#laneLoop < 0 ? 1 : this.#values.width;
      const neighbour = at.stride === 8 && width === 4 && byteSize[at.dtype] === 4;
      const next = stores.find(
        (other) => neighbour && !done.has(other) && isNext(other.access, access),
      );
      if (next) {
        done.add(next);
        const [first, second] = [value, next.value].map((i) => this.#values.of(i, copy));
        writeByTurns(this.#w, at, first, second);
      } else writeStore(this.#w, at, width, this.#values.of(value, copy));
    }
  }

  /** Has the results combine what is known with an instruction. */
  #combine(instruction: number, copy: number): void {
    for (const [r, { value, position }] of this.#terms.get(instruction) ?? []) {
      // With lanes across rows, those beyond the width belong to nobody.
      const { lanesAcross, lanes } = this.#frame;
      const width = lanesAcross || lanes === 1 || this.#laneLoop < 0 ? 4 : this.#values.width;
      const at = position === undefined ? undefined : this.#values.of(position, copy);
      this.#reductions[r].fold(copy, this.#values.of(value, copy), width, at);
    }
  }
}

/** Whether an access is to the element behind that of another. */
function isNext(access: Access, { buffer, offset, strides }: Access): boolean {
  return (
    access.buffer === buffer && access.offset === offset + 1 && sameShape(access.strides, strides)
  );
}
