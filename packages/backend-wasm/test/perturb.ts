import {
  createArray,
  type DType,
  type ElementOp,
  type Instruction,
  isFloat,
  type Kernel,
  type LoopKernel,
  philox,
  type ScatterKernel,
  type Stage,
  stagesOf,
  type TypedArray,
} from "@gradloom/engine";
import { matmulAsLoops } from "../src/matmul-loop.ts";
import type { RandomProgram } from "./kernel-builder.ts";

// How far, in units of the last place, an operation may be from what the oracle computes.
const basic = 1; // a multiplication and an addition may be fused
const function_ = 4;
const reduction = 8;
// Of more than 100 terms, of which many are added one by one.
const longReduction = 64;
const longTerm = 16;

type Float = "float32" | "float64";
const epsilon: Readonly<Record<Float, number>> = { float32: 2 ** -23, float64: 2 ** -52 };
const noises = [basic, function_, reduction, longTerm, longReduction].flatMap((amplitude) =>
  (["float32", "float64"] as const).map((dtype) => ({ dtype, amplitude })),
);
const noiseLength = 1 << 13;

/** Operations on floats that every backend gives the same bits for, given the same arguments. */
const exact: ReadonlySet<ElementOp> = new Set<ElementOp>([
  ...(["neg", "abs", "floor", "ceil", "round", "trunc", "cast", "max", "min", "where"] as const),
]);

/**
 * The same program with each inexact result moved by a random part of the error that a backend may make.
 * How far the outputs of a few such programs are apart says how far a backend's may be: the
 * method is Monte Carlo arithmetic (Parker 1997). Products of matrices become loops, so that each of
 * their products is moved.
 */
export function perturb(random: RandomProgram, seed: number): RandomProgram {
  const { program, contents } = random;
  const first = program.buffers.length;
  const buffers = noises.map(({ dtype }) => ({
    dtype,
    length: noiseLength,
    arenaOffset: undefined,
  }));
  const kernels = program.kernels.flatMap((kernel, i) => perturbKernel(kernel, first, seed + i));
  return {
    ...random,
    program: {
      ...program,
      kernels,
      barriers: kernels.map(() => true),
      buffers: [...program.buffers, ...buffers],
    },
    contents: [...contents, ...noiseOf(seed)],
  };
}

const noiseBySeed = new Map<number, TypedArray[]>();

/** Factors close to 1: for each kind of noise, an array of them. */
function noiseOf(seed: number): TypedArray[] {
  const known = noiseBySeed.get(seed);
  if (known !== undefined) return known;
  const noise = noises.map(({ dtype, amplitude }, i) => {
    const array = createArray(dtype, noiseLength);
    for (let j = 0; j < noiseLength; j++) {
      // By whole units, up or down, and never by none: what is exact here may not be elsewhere.
      const bits = philox(j, i, seed, 1, 0);
      const units = 1 + ((bits >>> 8) % amplitude);
      array[j] = 1 + (bits & 1 ? units : -units) * epsilon[dtype];
    }
    return array;
  });
  noiseBySeed.set(seed, noise);
  return noise;
}

/** Whether a program computes anything that backends may round differently. */
export function isInexact({ program }: RandomProgram): boolean {
  return program.kernels.some((kernel) => {
    const stages = stagesOf(kernel);
    return (
      sumsFloats(kernel) ||
      stages.some(({ code }) => code.some((instruction) => amplitudeOf(instruction, stages) > 0))
    );
  });
}

function sumsFloats(kernel: Kernel): kernel is ScatterKernel {
  return kernel.kind === "scatter" && kernel.combine === "sum" && isFloat(kernel.dtype);
}

function perturbKernel(kernel: Kernel, firstNoise: number, seed: number): Kernel[] {
  if (kernel.kind === "sort" || kernel.kind === "repeat") return [kernel];
  const numBuffers = kernel.buffers.length;
  const buffers = [...kernel.buffers, ...noises.map((_, i) => firstNoise + i)];
  const positions = noises.map((_, i) => numBuffers + i);
  // Scratch comes behind the buffers, and so moves.
  const move = (buffer: number): number => (buffer < numBuffers ? buffer : buffer + noises.length);
  if (kernel.kind === "scatter") {
    const { stage, outer, index, value } = kernel;
    const sizes = [...outer, ...stage.inner];
    const terms = sumsFloats(kernel) ? [value] : [];
    const { moved, ...perturbed } = perturbStage(
      stage,
      [stage],
      sizes,
      positions,
      move,
      seed * 31,
      terms,
    );
    const scatter = {
      ...kernel,
      buffers,
      stage: perturbed,
      index: moved[index],
      value: moved[value],
    };
    return sumsFloats(kernel) ? [scatter, disturbSums(kernel, firstNoise, seed)] : [scatter];
  }
  const loops = kernel.kind === "loop" ? kernel : matmulAsLoops(kernel);
  const { outer, stages } = loops;
  return [
    {
      ...loops,
      buffers,
      stages: stages.map((stage, i) => {
        const sizes = [...outer, ...stage.inner];
        return perturbStage(stage, stages, sizes, positions, move, seed * 31 + i);
      }),
    },
  ];
}

/** Moves sums that were scattered, after the fact. */
function disturbSums(
  { target, outer, size, dtype, buffers, stage }: ScatterKernel,
  firstNoise: number,
  seed: number,
): LoopKernel {
  const sizes = [...outer, size];
  const positions = noises.map((_, i) => buffers.length + i);
  const amplitude = isLong(stage.inner) ? longReduction : reduction;
  const noise = loadNoise(dtype, amplitude, sizes, positions, 0, seed);
  const code: Instruction[] = [{ op: "load", dtype, access: target, guards: [] }];
  if (noise !== undefined) code.push(noise, { op: "mul", dtype, args: [0, 1] });
  const stores = [{ value: code.length - 1, access: target }];
  return {
    kind: "loop",
    buffers: [...buffers, ...noises.map((_, i) => firstNoise + i)],
    scalars: [],
    label: [],
    outer: sizes,
    stages: [{ inner: [], code, stores, results: [] }],
    scratch: [],
  };
}

/** Reads noise of an amplitude, if there is any of that dtype. */
function loadNoise(
  dtype: DType,
  amplitude: number,
  sizes: readonly number[],
  positions: readonly number[],
  number: number,
  seed: number,
): Instruction | undefined {
  const noise = noises.findIndex((n) => n.dtype === dtype && n.amplitude === amplitude);
  if (noise < 0) return undefined;
  // Each point has noise of its own along each loop, so long loops get a stride of 1 before others get more.
  const spare = Math.max(noiseLength / 2 - sizes.reduce((sum, size) => sum + size, 0), 0);
  const strides = sizes.map((size, loop) => {
    const most = 1 + Math.floor(spare / sizes.length / Math.max(size, 1));
    return most - ((number * 7 + loop * 3) % Math.max(Math.ceil(most / 2), 1));
  });
  const offset = philox(number, seed, 2, 3, 0) & (noiseLength / 2 - 1);
  return {
    op: "load",
    dtype,
    access: { buffer: positions[noise], offset, strides },
    guards: [],
  };
}

function perturbStage(
  stage: Stage,
  stages: readonly Stage[],
  sizes: readonly number[],
  noisePositions: readonly number[],
  move: (buffer: number) => number,
  seed: number,
  /** Instructions that are terms of sums, besides those of results. */
  terms: readonly number[] = [],
): Stage & { readonly moved: readonly number[] } {
  const code: Instruction[] = [];
  const moved: number[] = [];
  const disturb = (position: number, dtype: DType, amplitude: number): number => {
    const noise = loadNoise(dtype, amplitude, sizes, noisePositions, code.length, seed);
    if (noise === undefined) return position;
    return code.push({ op: "mul", dtype, args: [position, code.push(noise) - 1] }) - 1;
  };
  for (const instruction of stage.code) {
    let copy: Instruction = instruction;
    if ("args" in copy) copy = { ...copy, args: copy.args.map((arg) => moved[arg]) };
    if ("arg" in copy) copy = { ...copy, arg: moved[copy.arg] };
    if (copy.op === "load") {
      copy = { ...copy, access: { ...copy.access, buffer: move(copy.access.buffer) } };
      if (copy.index) copy = { ...copy, index: { ...copy.index, value: moved[copy.index.value] } };
    }
    const position = code.push(copy) - 1;
    moved.push(disturb(position, copy.dtype, amplitudeOf(instruction, stages)));
  }
  const termAmplitude = isLong(stage.inner) ? longTerm : function_;
  for (const term of terms) {
    moved[term] = disturb(moved[term], stage.code[term].dtype, termAmplitude);
  }
  return {
    ...stage,
    stores: stage.stores.map(({ value, access }) => ({
      value: moved[value],
      access: { ...access, buffer: move(access.buffer) },
    })),
    // Each term of a sum is moved too: where terms cancel, the sum is as inexact as they are large.
    results: stage.results.map(({ value, reduce }) => {
      const sums = reduce === "sum" || reduce === "prod";
      const { dtype } = stage.code[value];
      return { reduce, value: sums ? disturb(moved[value], dtype, termAmplitude) : moved[value] };
    }),
    code,
    moved,
  };
}

function isLong(inner: readonly number[]): boolean {
  return inner.reduce((count, size) => count * size, 1) > 100;
}

function amplitudeOf(instruction: Instruction, stages: readonly Stage[]): number {
  if (!isFloat(instruction.dtype)) return 0;
  switch (instruction.op) {
    case "load":
    case "index":
    case "constant":
    case "scalar":
    case "check":
    // Every backend keeps these in double precision, in order.
    case "scan":
      return 0;
    case "product":
      return reduction;
    case "result": {
      const { inner, results } = stages[instruction.stage];
      const { reduce } = results[instruction.result];
      if (reduce !== "sum" && reduce !== "prod") return 0;
      return isLong(inner) ? longReduction : reduction;
    }
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "sqrt":
      return basic;
    case "mod":
    case "floorDiv":
      return 0;
    default:
      return exact.has(instruction.op) ? 0 : function_;
  }
}
