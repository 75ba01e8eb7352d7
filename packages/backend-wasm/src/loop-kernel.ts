import { byteSize, elementCost, type LoopKernel } from "@gradloom/engine";
import { scalarOffset } from "./argument-block.ts";
import { ModuleWriter, type ValueType } from "./assembler.ts";
import { writeAround } from "./copy-writer.ts";
import { type Cursor, carryCursor, moveCursor, startCursor } from "./cursor.ts";
import { importHostMath } from "./expression.ts";
import type { Features } from "./features.ts";
import { blockLanes, wideBlock, wideRow } from "./inductions.ts";
import { writeInsideLoop } from "./inside-loop.ts";
import type { KernelFrame, Sink } from "./kernel-frame.ts";
import {
  affinesOf,
  collapseLoops,
  countIterations,
  dependsOn,
  moveInnermost,
  type Nest,
  type WrittenKernel,
  type WrittenStage,
  withoutCertainGuards,
  writtenKernel,
} from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import { padLoads } from "./padding.ts";
import { writeOutPairs, writeOutPoints, writeOutRows } from "./short-loops.ts";
import { StageWriter } from "./stage-writer.ts";
import { tileLoops } from "./tile-loops.ts";
import { knownLength, type LoopCode, type LoopForm, tellNumbers } from "./told-numbers.ts";
import { toldNumbers, wordsAt } from "./told-words.ts";
import { VectorWriter } from "./vector-writer.ts";

/** How a kernel of loops is compiled, and what running it takes. */
export interface LoopPlan extends Pick<LoopCode, "key" | "told"> {
  readonly write: (features: Features) => Uint8Array<ArrayBuffer>;
  readonly needs: LoopNeeds;
}

/** What running a kernel takes. */
interface LoopNeeds {
  /** For each of its scratch rows: bytes of a thread's own memory. */
  readonly scratchBytes: readonly number[];
  /** How many points of the outer loops a call goes through in one, and how many such steps it should have at least. */
  readonly points: number;
  readonly leastGrain: number;
}

/** How a kernel of loops is written. */
export function planLoops(kernel: LoopKernel): LoopPlan {
  const code = tellNumbers({ ...kernel, ...arrangeLoops(kernel) });
  const { lanesAcross, outer, scratch, padding } = code;
  const last = outer.length - 1;
  const rows = lanesAcross && !padding ? blockLanes : 1;
  const block = outer[last] >= wideRow ? wideBlock : blockLanes;
  return {
    ...code,
    write: (features) => compileLoops(code, features),
    needs: {
      scratchBytes: scratch.map(({ dtype, length }) => byteSize[dtype] * length * rows),
      points: countIterations(kernel.outer) / countIterations(outer),
      leastGrain: padding ? countIterations(outer.slice(padding.prefix)) : lanesAcross ? block : 1,
    },
  };
}

/** The same for loops whose points a sink takes, of which code knows more than their form. */
export function planSink(
  loops: LoopKernel,
  known: string,
  scratchBytes: readonly number[],
  createSink: (frame: KernelFrame) => Sink,
): LoopPlan {
  const code = tellNumbers({ ...writtenKernel(loops), lanesAcross: false });
  return {
    ...code,
    key: `${code.key} ${known}`,
    write: (features) => compileLoops(code, features, createSink),
    needs: { scratchBytes, points: 1, leastGrain: 1 },
  };
}

/**
 * A module whose function `k(args, begin, end)` runs a kernel for a range of its flattened outer loops.
 * It imports the memory `e.m` and host functions `h.…`. Results do not depend on how the range is cut. A sink takes what
 * the points of the only stage give.
 */
function compileLoops(
  code: LoopCode,
  features: Features,
  createSink?: (frame: KernelFrame) => Sink,
): Uint8Array<ArrayBuffer> {
  const frame = openFrame(code, features, Array(3).fill("i32"), "k");
  frame.sink = createSink?.(frame);
  const { stages, padding } = code;
  const { w, outer, lanesAcross } = frame;
  const { f } = w;
  const writers: StageWriter[] = [];
  for (const stage of stages) writers.push(new StageWriter(frame, stage, [...writers]));
  f.get(1).get(2).op(i32.ge_s).if();
  f.return().end();
  for (const writer of writers) writer.writeStart();
  writeDigits(frame, begin, outer.length);
  const writeCopies = padding && writeAround(frame, padding);
  const again = f.loop();
  writeCopies?.();
  if (lanesAcross) writeChunks(frame, writers);
  else writeRows(frame, writers);
  f.get(begin).get(end).op(i32.lt_s).brIf(again).end();
  return w.module.finish();
}

/** Begins a module with a function that has a block of arguments as its first parameter. */
export function openFrame(
  { buffers, outer, stages, scratch, padding, lanesAcross, told }: LoopCode,
  features: Features,
  parameters: readonly ValueType[],
  name?: string,
): KernelFrame {
  const module = new ModuleWriter();
  module.importMemory(features.sharedMemory);
  const host = importHostMath(
    module,
    stages.map((stage) => stage.code),
  );
  const f = module.function(parameters, [], name);
  const firstTold = buffers.length + scratch.length;
  const wordAt = wordsAt(f, 0);
  return {
    w: new VectorWriter(module, f, features, host),
    outer,
    lanesAcross,
    // float64 is for checking gradients: correct, one lane at a time.
    lanes: stages.some(({ code }) => code.some(({ dtype }) => dtype === "float64")) ? 1 : 4,
    digits: outer.map(() => f.local()),
    product: f.local(),
    written: new Set(
      [...stages, ...(padding?.copies ?? [])].flatMap(({ stores }) =>
        stores.map(({ access }) => access.buffer),
      ),
    ),
    address: (buffer) => wordAt(buffer),
    told,
    push: toldNumbers(f, told, wordAt, firstTold),
    scalarOffset: (i) => scalarOffset(firstTold + told.length, i),
    firstScratch: padding ? Infinity : buffers.length,
  };
}

/** The kernel's loops, as few as possible, and along which of them the lanes lie. */
function arrangeLoops(kernel: LoopKernel): Omit<LoopForm, "buffers"> {
  const written = writtenKernel(kernel);
  let loops = collapseLoops(written.outer, written.stages);
  let padding: WrittenKernel["padding"];
  // Points of a scan are in order, and a row that is kept is one row's.
  const mayWriteOut =
    kernel.scratch.length === 0 &&
    kernel.stages.every(({ code }) => code.every(({ op }) => op !== "scan"));
  if (mayWriteOut) {
    ({ padding, ...loops } = padLoads(loops, kernel.buffers.length));
    loops = writeOutRows(loops, padding?.prefix ?? 0, chooseLanesAcross);
  }
  const first = padding?.prefix ?? 0;
  if (first === 0) loops = tileLoops(loops.outer, loops.stages);
  const lanesAcross = loops.outer.length > first && chooseLanesAcross(loops);
  if (mayWriteOut && lanesAcross) loops = writeOutPoints(loops, first);
  const scratch = padding?.copies ?? kernel.scratch;
  const { outer, stages: all } = loops;
  const within = (stage: WrittenStage) =>
    withBestLaneLoop(mayWriteOut ? writeOutPairs(stage, outer.length) : stage, outer.length);
  const stages = withoutCertainGuards(outer, lanesAcross ? all : all.map(within));
  return { outer, stages, scratch, lanesAcross, ...(padding && { padding }) };
}

const [, begin, end] = [0, 1, 2];

/** The position of a point in each of the first `count` outer loops. */
export function writeDigits(frame: KernelFrame, point: number, count: number): void {
  const { f } = frame.w;
  const rest = f.local();
  f.get(point).set(rest);
  startCursor(f, pointsOf(frame, count), rest);
}

/** The first outer loops, to go on from point to point. */
function pointsOf({ outer, digits, push }: KernelFrame, count: number = outer.length): Cursor {
  return { sizes: outer.slice(0, count), push, digits, values: [] };
}

/** One point of the outer loops after the other. */
function writeRows(frame: KernelFrame, writers: readonly StageWriter[]): void {
  const { f } = frame.w;
  frame.w.scope(() => {
    for (const writer of writers) writer.takeResults(writer.unroll);
    for (const writer of writers) {
      frame.w.scope(() => {
        writer.writeRowStart();
        frame.sink?.startRow?.();
        writer.writeRow(frame.lanes, 1);
        frame.sink?.endRow?.();
      });
    }
  });
  moveCursor(f, pointsOf(frame), frame.outer.length - 1);
  f.add(begin, 1);
}

/** Neighbours along the last outer loop at once; a chunk is what is left of that loop. */
function writeChunks(frame: KernelFrame, writers: readonly StageWriter[]): void {
  const { w, outer, digits, push } = frame;
  const { f } = w;
  const last = outer.length - 1;
  const count = f.local();
  f.get(end).get(begin).op(i32.sub).set(count);
  if (last > 0) {
    const left = f.local();
    push(outer[last]);
    f.get(digits[last]).op(i32.sub).set(left).smaller(count, left).set(count);
  }
  f.get(begin).get(count).op(i32.add).set(begin);
  writeChunk(frame, writers, count);
  carryCursor(f, pointsOf(frame), last);
}

/** As many neighbours along the last outer loop as a local says; `next` is written behind each block of so many. */
export function writeChunk(
  { w, outer, lanes }: KernelFrame,
  writers: readonly StageWriter[],
  count: number,
  next: (lanes: number) => void = () => {},
): void {
  const { f } = w;
  const longest = knownLength(outer[outer.length - 1]);
  const guarded = writers.filter((writer) => writer.isGuarded);
  /** Blocks of vectors while enough of the chunk is left. */
  const writeBlocks = (width: number, copies: number): void => {
    const block = width * copies;
    if (longest < block) return;
    const pushMore = (): void => {
      f.get(count).i32(block).op(i32.ge_s);
    };
    const guards = {
      pushInside: () => {
        f.i32(1);
        for (const writer of guarded) {
          writer.pushInside(width, copies);
          f.op(i32.and);
        }
      },
      assumeInside: (isInside: boolean) => {
        for (const writer of guarded) writer.assumeInside(isInside);
      },
    };
    const writeBlock = (): void => {
      w.scope(() => {
        for (const writer of writers) writer.takeResults(copies);
        for (const writer of writers) writer.writeRow(width, copies);
        for (const writer of writers) writer.advance(block);
      });
      next(block);
      f.add(count, -block);
    };
    pushMore();
    f.if();
    writeInsideLoop(f, guarded.length > 0 ? guards : undefined, writeBlock, pushMore);
    f.end();
  };
  w.scope(() => {
    for (const writer of writers) writer.writeRowStart();
    const unroll = Math.min(...writers.map((writer) => writer.unroll));
    if (unroll > 1) writeBlocks(lanes, unroll);
    writeBlocks(lanes, 1);
    const rest = longest % lanes;
    if (rest > 1 && longest < wideRow) writeBlocks(rest, 1);
    if (lanes > 1) writeBlocks(1, 1);
  });
}

/** Whether lanes across the last outer loop cost less than lanes within each stage. */
function chooseLanesAcross({ outer, stages }: Pick<WrittenKernel, "outer" | "stages">): boolean {
  const last = outer.length - 1;
  if (last < 0) return false;
  if (stages.every((stage) => stage.inner.length === 0)) return true;
  const width = outer[last] / Math.ceil(outer[last] / 4);
  let across = 10;
  let within = 10;
  for (const stage of stages) {
    const points = countIterations(stage.inner);
    across += points * laneCost(stage, last, 4);
    if (stage.inner.length === 0) {
      within += laneCost(stage, -1, 1);
    } else {
      const ordered = withBestLaneLoop(stage, outer.length);
      const size = ordered.inner[ordered.inner.length - 1];
      const loop = outer.length + stage.inner.length - 1;
      within += 10 + (points / size) * Math.ceil(size / 4) * laneCost(ordered, loop, 4);
    }
  }
  return across / width < within;
}

/** What a vector of a stage's points costs, in instructions, with the lanes along a loop. */
export function laneCost(
  stage: Nest & { readonly results: readonly unknown[] },
  loop: number,
  width: number,
): number {
  let cost = 0;
  for (const { strides } of affinesOf(stage)) {
    const stride = loop < 0 ? 0 : strides[loop];
    const vectors = stride === 2 || stride === -1 ? 2 : 2 * width;
    cost += stride === 0 ? 0.5 : stride === 1 ? 1 : vectors;
  }
  const depends = dependsOn(stage, loop);
  for (const instruction of stage.code) {
    if ("args" in instruction) cost += elementCost(instruction.op);
    else if (instruction.op === "scan") cost += 2 * width;
    else if (instruction.op === "load" && instruction.index && depends[instruction.index.value]) {
      cost += 2 * width;
    }
  }
  return cost + stage.results.length;
}

function withBestLaneLoop(stage: WrittenStage, numOuter: number): WrittenStage {
  let best = stage.inner.length - 1;
  let bestCost = Infinity;
  for (let i = stage.inner.length - 1; i >= 0; i--) {
    const size = stage.inner[i];
    const cost = (laneCost(stage, numOuter + i, 4) * Math.ceil(size / 4)) / size;
    if (cost >= bestCost) continue;
    best = i;
    bestCost = cost;
  }
  return moveInnermost(stage, numOuter, best);
}
