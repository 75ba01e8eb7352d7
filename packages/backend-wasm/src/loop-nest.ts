import type {
  Affine,
  DType,
  Guard,
  Instruction,
  LoopKernel,
  Result,
  Stage,
} from "@gradloom/engine";
import { rowMajor, spliced, withAffines } from "@gradloom/engine";
import type { Padding } from "./padding.ts";

/** How many times a loop nest of these sizes runs its body. */
export { sizeOf as countIterations } from "@gradloom/engine";

/** A value that a result combines, and for `argmax` and `argmin` the instruction that says where it is. */
export interface Term {
  readonly value: number;
  readonly position?: number;
}

/** Of a stage, what loops have to do with. */
export type Nest = Omit<Stage, "results">;

/** A stage as it is written: at each of its points, a result combines any number of values. */
export interface WrittenStage extends Nest {
  readonly results: readonly {
    readonly reduce: Result["reduce"];
    readonly dtype: DType;
    readonly terms: readonly Term[];
  }[];
}

/** Every affine expression in a stage: of loads and their guards, of indices, of stores. */
export function affinesOf(stage: Nest): readonly Affine[] {
  const affines: Affine[] = stage.stores.map((store) => store.access);
  for (const instruction of stage.code) affines.push(...affinesIn(instruction));
  return affines;
}

/** The affine expressions of an instruction. */
export function affinesIn(instruction: Instruction): readonly Affine[] {
  if (instruction.op === "load") return [instruction.access, ...instruction.guards];
  return instruction.op === "index" ? [instruction] : [];
}

/** The earlier instructions that one uses. */
export function argumentsOf(instruction: Instruction): readonly number[] {
  if ("args" in instruction) return instruction.args;
  if ("arg" in instruction) return [instruction.arg];
  return "index" in instruction && instruction.index ? [instruction.index.value] : [];
}

/** The same instruction with other numbers for those that it uses. */
export function withArguments(
  instruction: Instruction,
  renumber: (argument: number) => number,
): Instruction {
  if ("args" in instruction) return { ...instruction, args: instruction.args.map(renumber) };
  if ("arg" in instruction) return { ...instruction, arg: renumber(instruction.arg) };
  if (!("index" in instruction) || !instruction.index) return instruction;
  return {
    ...instruction,
    index: { ...instruction.index, value: renumber(instruction.index.value) },
  };
}

/** For each instruction of a stage, whether it depends on a loop. */
export function dependsOn({ code }: Nest, loop: number): boolean[] {
  const depends: boolean[] = [];
  for (const instruction of code) {
    const affines = affinesIn(instruction);
    depends.push(
      affines.some(({ strides }) => (strides[loop] ?? 0) !== 0) ||
        argumentsOf(instruction).some((argument) => depends[argument]),
    );
  }
  return depends;
}

/** The least and the greatest value of an affine expression in loops of these sizes. */
export function rangeOf(
  { offset, strides }: Affine,
  sizes: readonly number[],
): [low: number, high: number] {
  let [low, high] = [offset, offset];
  for (const [i, stride] of strides.entries()) {
    low += Math.min(stride * (sizes[i] - 1), 0);
    high += Math.max(stride * (sizes[i] - 1), 0);
  }
  return [low, high];
}

/** The same stages without the guards that hold wherever their loops are. */
export function withoutCertainGuards<S extends Nest>(
  outer: readonly number[],
  stages: readonly S[],
): readonly S[] {
  return stages.map((stage) => {
    const isOpen = (guard: Guard): boolean => {
      const [low, high] = rangeOf(guard, [...outer, ...stage.inner]);
      return low < 0 || high >= guard.size;
    };
    const code = stage.code.map((instruction) =>
      instruction.op === "load"
        ? { ...instruction, guards: instruction.guards.filter(isOpen) }
        : instruction,
    );
    return { ...stage, code };
  });
}

/** The same stage with the strides of each affine expression rewritten. */
export function withStrides<S extends Nest>(
  stage: S,
  rewrite: (strides: readonly number[]) => number[],
): S {
  return withAffines(stage, (affine) => ({ ...affine, strides: rewrite(affine.strides) }));
}

function withoutLoop<S extends Nest>(stage: S, loop: number): S {
  return withStrides(stage, (strides) => spliced(strides, loop, 1));
}

/**
 * Leaves out loops of one iteration, and makes one loop of neighbours through which every access runs
 * as if they were one. `keepLast` outer loops stay as they are.
 */
export function collapseLoops<S extends Nest>(
  outerSizes: readonly number[],
  kernelStages: readonly S[],
  keepLast = 0,
): { readonly outer: readonly number[]; readonly stages: readonly S[] } {
  const [outer, stages] = collapse(outerSizes, kernelStages, 0, keepLast);
  const inside = (stage: S): S => {
    const [inner, [own]] = collapse(stage.inner, [stage], outer.length, 0);
    return { ...own, inner };
  };
  return { outer, stages: stages.map(inside) };
}

/** Loops of these sizes, which the stages have from the `first` on, without those that are not needed. */
function collapse<S extends Nest>(
  all: readonly number[],
  nests: readonly S[],
  first: number,
  keepLast: number,
): readonly [sizes: readonly number[], stages: readonly S[]] {
  const sizes = [...all];
  let stages = nests;
  for (let i = sizes.length - 1 - keepLast; i >= 0; i--) {
    const next = i + 1;
    const merged =
      next < sizes.length - keepLast && stages.every((s) => merges(s, first + i, sizes[next]));
    if (sizes[i] !== 1 && !merged) continue;
    stages = stages.map((stage) => withoutLoop(stage, first + i));
    if (merged) sizes[next] *= sizes[i];
    sizes.splice(i, 1);
  }
  return [sizes, stages];
}

/** Whether a loop and the next, of this size, are one loop to all affine expressions. */
function merges(stage: Nest, loop: number, nextSize: number): boolean {
  return affinesOf(stage).every(({ strides }) => strides[loop] === strides[loop + 1] * nextSize);
}

/** A kernel of loops as it is written. */
export interface WrittenKernel extends Omit<LoopKernel, "stages"> {
  readonly stages: readonly WrittenStage[];
  readonly padding?: Padding;
}

/** A kernel as it is written, with the loops that it has. */
export function writtenKernel(kernel: LoopKernel): WrittenKernel {
  const { outer, stages } = kernel;
  return { ...kernel, stages: stages.map((stage) => writtenStage(stage, outer.length)) };
}

/** A stage as it is written, with the position in its inner loops as the last instruction if a result needs it. */
export function writtenStage(stage: Stage, numOuter: number): WrittenStage {
  const { inner, code } = stage;
  const strides = [...new Array<number>(numOuter).fill(0), ...rowMajor(inner)];
  let isPositional = false;
  const results = stage.results.map(({ value, reduce }) => {
    const { dtype } = code[value];
    if (reduce !== "argmax" && reduce !== "argmin") return { reduce, dtype, terms: [{ value }] };
    isPositional = true;
    return { reduce, dtype, terms: [{ value, position: code.length }] };
  });
  const position = { op: "index", dtype: "int32", offset: 0, strides } as const;
  return { ...stage, code: isPositional ? [...code, position] : code, results };
}

/** The same stage with one of its inner loops as the innermost. */
export function moveInnermost<S extends Nest>(stage: S, numOuter: number, which: number): S {
  const last = numOuter + stage.inner.length - 1;
  const loop = numOuter + which;
  if (loop === last) return stage;
  return { ...movedLast(stage, loop), inner: toEnd(stage.inner, which) };
}

/** The same stage with an outer loop, of this size, as the innermost. */
export function moveInside<S extends Nest>(stage: S, loop: number, size: number): S {
  return { ...movedLast(stage, loop), inner: [...stage.inner, size] };
}

function movedLast<S extends Nest>(stage: S, loop: number): S {
  return withStrides(stage, (strides) => toEnd(strides, loop));
}

function toEnd(list: readonly number[], i: number): number[] {
  return [...spliced(list, i, 1), list[i]];
}

/** The same stage with the innermost loop cut into so many, which an outer loop behind the others counts. */
export function splitInnermost<S extends Nest>(stage: S, numOuter: number, count: number): S {
  const inner = [...stage.inner];
  const size = (inner.pop() as number) / count;
  return {
    ...withStrides(stage, (strides) =>
      spliced(strides, numOuter, 0, strides[strides.length - 1] * size),
    ),
    inner: [...inner, size],
  };
}

/** The same stage with another outer loop behind the others, which nothing depends on. */
export function addOuter<S extends Nest>(stage: S, numOuter: number): S {
  return withStrides(stage, (strides) => spliced(strides, numOuter, 0, 0));
}
