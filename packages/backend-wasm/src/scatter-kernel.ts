import type { DType, LoopKernel, ScatterKernel, Stage } from "@gradloom/engine";
import { stageNanoseconds } from "./cost.ts";
import type { KernelFrame, Sink } from "./kernel-frame.ts";
import { type LaneAddress, pushLoad, pushLoadLane, writeStore, writeStoreLane } from "./lanes.ts";
import { laneCost } from "./loop-kernel.ts";
import {
  addOuter,
  collapseLoops,
  countIterations,
  dependsOn,
  moveInside,
  splitInnermost,
} from "./loop-nest.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i32x4 from "./opcodes/i32x4.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** How values are scattered, once the rows are 0. */
export interface ScatterPlan {
  /** One stage, whose only store goes to the first element of a row. */
  readonly loops: LoopKernel;
  /** The instruction that gives the index, and elements from a position of a row to the next. */
  readonly index: number;
  readonly stride: number;
  readonly combine: ScatterKernel["combine"];
  /** If the last outer loop counts ranges of a row's positions: how many are in one. */
  readonly range: number | undefined;
  readonly nanoseconds: number;
}

/** The least elements of a row that are worth a call. */
const leastPiece = 64;
/** Nanoseconds of work from which threads share the positions of a row. */
const worthRanges = 20_000;

/** Sets the rows to 0, in the order in which they are in memory. */
export function zeroKernel({ buffers, outer, size, target, dtype }: ScatterKernel): LoopKernel {
  const { offset, strides } = target;
  const loops = [...outer, size].map((length, i) => ({ length, stride: strides[i] }));
  loops.sort((a, b) => Math.abs(b.stride) - Math.abs(a.stride));
  const access = { buffer: 0, offset, strides: loops.map(({ stride }) => stride) };
  const code = [{ op: "constant", dtype, value: 0 } as const];
  return {
    kind: "loop",
    buffers: [buffers[target.buffer]],
    scalars: [],
    label: [],
    outer: loops.map(({ length }) => length),
    stages: [{ inner: [], code, stores: [{ value: 0, access }], results: [] }],
    scratch: [],
  };
}

/**
 * Each element gets its values in the order of the inner loops. Threads share what is independent: the rows; pieces of
 * the loop with the lanes, if that is an outer one; then ranges of the positions, for which each thread reads all indices
 * and takes its own, if an index is for many values.
 */
export function planScatter(kernel: ScatterKernel, threads: number): ScatterPlan {
  const { buffers, scalars, label, size, index, value, combine, target } = kernel;
  const strides = [...target.strides];
  const stride = strides.pop() as number;
  for (const _ of kernel.stage.inner) strides.push(0);
  const stores = [{ value, access: { ...target, strides } }];
  const collapsed = collapseLoops(kernel.outer, [{ ...kernel.stage, stores }]);
  const outer = [...collapsed.outer];
  let [stage] = collapsed.stages;
  const loop = chooseLaneLoop(stage, outer, index);
  let wanted = threads > 1 ? 2 * threads : 1;
  const uniform = !dependsOn(stage, loop)[index];
  if (loop >= 0 && loop < outer.length) {
    const [lanes] = outer.splice(loop, 1);
    stage = moveInside(stage, loop, lanes);
    wanted = Math.ceil(wanted / countIterations(outer));
    let pieces = wanted;
    while (pieces > 1 && (lanes % pieces !== 0 || lanes / pieces < leastPiece)) pieces--;
    if (pieces > 1) {
      stage = splitInnermost(stage, outer.length, pieces);
      outer.push(pieces);
    }
  }
  const points = countIterations([...outer, ...stage.inner]);
  const nanoseconds = points * (stageNanoseconds(stage) + (uniform ? 0.4 : 0.8));
  const ranges = Math.max(Math.min(Math.ceil(threads / countIterations(outer)), size), 1);
  // To look at an index takes as long as to add a single value. Rows without elements have one range, which no index is in.
  const lanes = uniform ? (stage.inner[stage.inner.length - 1] ?? 1) : 1;
  const ranged = size === 0 || (ranges > 1 && lanes >= 32 && nanoseconds >= worthRanges);
  if (ranged) {
    stage = addOuter(stage, outer.length);
    outer.push(ranges);
  }
  return {
    loops: { kind: "loop", buffers, scalars, label, outer, stages: [stage], scratch: [] },
    index,
    stride,
    combine,
    range: ranged ? Math.ceil(size / ranges) : undefined,
    nanoseconds,
  };
}

/** The innermost of the inner loops, or an outer one along which values are better added up in vectors. */
function chooseLaneLoop(stage: Stage, outer: readonly number[], index: number): number {
  const sizes = [...outer, ...stage.inner];
  const scans = stage.code.some(({ op }) => op === "scan");
  let best = sizes.length - 1;
  let bestCost = Infinity;
  for (const [loop, size] of sizes.entries()) {
    // Points stay in order, and a scan's loop is its only one.
    if (loop < sizes.length - 1 && (scans || loop >= outer.length)) continue;
    const vectors = loop < outer.length && !dependsOn(stage, loop)[index];
    const cost = ((laneCost(stage, loop, 4) + (vectors ? 2 : 16)) * Math.ceil(size / 4)) / size;
    if (cost >= bestCost) continue;
    best = loop;
    bestCost = cost;
  }
  return best;
}

/** Scatters what the points of the plan's loops give. */
export function scatterSink(
  { index, stride, combine, range, loops }: ScatterPlan,
  { w, digits }: KernelFrame,
): Sink {
  const { f } = w;
  const [{ code, stores }] = loops.stages;
  const add = combination(w, combine, code[stores[0].value].dtype);
  const isWanted = (indices: Value, lane: number): void => {
    indices();
    f.op(i32x4.extract_lane, lane).get(digits[digits.length - 1]);
    f.i32(range as number)
      .op(i32.mul)
      .op(i32.sub);
    // Below 0 is far above, without a sign.
    f.i32(range as number).op(i32.lt_u);
  };
  return {
    index: { value: index, stride },
    ...(range !== undefined && { isWanted }),
    write(at, width, read) {
      const value = read(stores[0].value);
      if (at.stride !== 0) {
        writeStore(w, at, width, w.keep(add(() => pushLoad(w, at, width), value)));
        return;
      }
      const kept = w.keep(value);
      for (let lane = 0; lane < width; lane++) {
        if (range !== undefined) {
          isWanted(read(index), lane);
          f.if();
        }
        writeLane(w, at, lane, kept, add);
        if (range !== undefined) f.end();
      }
    },
  };
}

function writeLane(
  w: VectorWriter,
  at: LaneAddress,
  lane: number,
  value: Value,
  add: (a: Value, b: Value) => Value,
): void {
  const before: Value = () => pushLoadLane(w, at, lane, w.i32(0));
  w.scope(() => writeStoreLane(w, at, lane, w.keep(add(before, value))));
}

/** Combines what is there with a value. */
function combination(
  w: VectorWriter,
  combine: ScatterKernel["combine"],
  dtype: DType,
): (a: Value, b: Value) => Value {
  if (dtype === "bool") return (a, b) => w.op(v128.or, a, b);
  const op = combine === "sum" ? "add" : "max";
  const lanes = (a: Value, b: Value): Value => w.lanes(dtype, op, a, b);
  if (dtype !== "uint8" || op === "max") return lanes;
  return (a, b) => w.op(v128.and, lanes(a, b), w.i32(0xff));
}
