import {
  type Kernel,
  type LoopKernel,
  type RepeatKernel,
  type ScatterKernel,
  type SortKernel,
  wholeLines,
} from "@gradloom/engine";
import { type ArgumentLayout, argumentLayout } from "./argument-block.ts";
import { loopNanoseconds } from "./cost.ts";
import type { Features } from "./features.ts";
import type { KernelLibrary, LibraryEntry } from "./library.ts";
import { structureKey } from "./library.ts";
import { type LoopPlan, planLoops } from "./loop-kernel.ts";
import { countIterations } from "./loop-nest.ts";
import { matmulAsLoops } from "./matmul-loop.ts";
import { isBlocked } from "./matmul-plan.ts";
import { sharedBuffer, splitTerms } from "./matmul-split.ts";
import { matmulSteps } from "./matmul-steps.ts";
import { compileScatter, planScatter, zeroKernel } from "./scatter-kernel.ts";
import { compileSort, planSort } from "./sort-kernel.ts";
import { winogradOf } from "./winograd.ts";

/** A word of an argument block: an address that is put together when the memory is laid out. */
export type Word =
  | { readonly kind: "value"; readonly value: number }
  /** A buffer of the program, and bytes behind its start. */
  | { readonly kind: "buffer"; readonly buffer: number; readonly offset: number }
  /** Bytes behind the start of the memory that all threads share, of what is kept there, or of a thread's own. */
  | { readonly kind: "shared"; readonly offset: number }
  | { readonly kind: "kept"; readonly offset: number }
  | { readonly kind: "own"; readonly offset: number }
  /** Bytes behind the start of this argument block. */
  | { readonly kind: "self"; readonly offset: number }
  /** The position of a function in the table. */
  | { readonly kind: "slot"; readonly entry: LibraryEntry };

/** A call of a function for a number of units, with its arguments. */
export interface Step {
  /** A function of the library, or the position of one that is always there. */
  readonly function: LibraryEntry | number;
  readonly units: number;
  /** How many units a call should have at least. */
  readonly leastGrain: number;
  readonly nanoseconds: number;
  /** Whether all steps before must have finished. */
  readonly barrier: boolean;
  /** Whether the first repetition of a loop does this for all of them. */
  readonly once?: boolean;
  readonly argumentBytes: number;
  readonly words: readonly (readonly [offset: number, word: Word])[];
  readonly scalars: readonly (readonly [offset: number, scalar: number])[];
  /** Needs of memory while it runs. */
  readonly sharedBytes: number;
  readonly ownBytes: number;
}

/** What {@link stepsOf} needs to know. */
export interface StepContext {
  readonly features: Features;
  readonly library: KernelLibrary;
  readonly threads: number;
  /** Buffers that are the same in all repetitions: what is packed of them is kept. */
  readonly still: ReadonlySet<number>;
  /** Takes bytes of shared memory that nothing else is in. */
  readonly keep: (bytes: number) => number;
}

/** A kernel that is no loop of kernels: the body of one is a program of its own. */
export type StraightKernel = Exclude<Kernel, RepeatKernel>;

/** The steps that carry out a kernel. */
export function stepsOf(kernel: StraightKernel, barrier: boolean, context: StepContext): Step[] {
  if (kernel.kind === "loop") return loopSteps(kernel, barrier, context);
  if (kernel.kind === "sort") return sortSteps(kernel, barrier, context);
  if (kernel.kind === "scatter") return scatterSteps(kernel, barrier, context);
  if (!isBlocked(kernel)) return loopSteps(matmulAsLoops(kernel), barrier, context);
  const isWhole =
    context.still.has(kernel.buffers[kernel.b.buffer]) || winogradOf(kernel)?.kind === "result";
  const split = isWhole ? undefined : splitTerms(kernel);
  if (split === undefined) return matmulSteps(kernel, barrier, context, 0);
  return [
    // What was in the shared memory before may still be read.
    ...matmulSteps(split.parts, true, context, split.bytes),
    ...loopSteps(split.sum, true, context),
  ];
}

function scatterSteps(kernel: ScatterKernel, barrier: boolean, context: StepContext): Step[] {
  const zero = loopSteps(zeroKernel(kernel), barrier, context);
  if (countIterations([...kernel.outer, ...kernel.stage.inner]) === 0) return zero;
  const plan = planScatter(kernel, context.threads);
  const { loops, nanoseconds } = plan;
  const scatter = loopSteps(
    loops,
    true,
    context,
    {
      key: `${structureKey(loops)} ${JSON.stringify(plan, ["index", "stride", "combine", "range"])}`,
      write: (features) => compileScatter(plan, features),
      needs: { scratchBytes: [], points: 1, leastGrain: 1 },
    },
    nanoseconds,
  );
  return [...zero, ...scatter];
}

function sortSteps(kernel: SortKernel, barrier: boolean, context: StepContext): Step[] {
  if (kernel.count === 0) return [];
  const plan = planSort(kernel);
  const { needs, nanoseconds } = plan;
  const write = (features: Features) => compileSort(plan, features);
  const code = { key: structureKey(kernel), write, needs };
  const steps = loopSteps(plan.loops, barrier, context, code, nanoseconds);
  if (countIterations(kernel.outer) !== 1) return steps;
  // One thread alone needs memory: not each thread as much.
  const share = (word: Word): Word => (word.kind === "own" ? { ...word, kind: "shared" } : word);
  return steps.map((step) => ({
    ...step,
    barrier: true,
    words: step.words.map(([at, word]) => [at, share(word)] as const),
    sharedBytes: step.ownBytes,
    ownBytes: 0,
  }));
}

function loopSteps(
  kernel: LoopKernel,
  barrier: boolean,
  { library, features }: StepContext,
  { key, write, needs }: LoopPlan = planLoops(kernel),
  nanoseconds = loopNanoseconds(kernel),
): Step[] {
  const units = countIterations(kernel.outer) / needs.points;
  if (!(units > 0)) return [];
  const layout = argumentLayout(kernel.buffers.length, needs.scratchBytes.length);
  const { words, scalars } = argumentsOf(kernel, layout, 0);
  let ownBytes = 0;
  needs.scratchBytes.forEach((bytes, i) => {
    words.push([layout.scratchOffset(i), { kind: "own", offset: ownBytes }]);
    ownBytes += wholeLines(bytes + 16);
  });
  return [
    {
      function: library.get(key, () => write(features)),
      units,
      leastGrain: needs.leastGrain,
      nanoseconds,
      barrier,
      argumentBytes: layout.scalarOffset(kernel.scalars.length),
      words,
      scalars,
      sharedBytes: 0,
      ownBytes,
    },
  ];
}

/** The buffers and scalars of a kernel, in a block of arguments from a place on. */
export function argumentsOf(
  { buffers, scalars }: Kernel,
  layout: ArgumentLayout,
  start: number,
): { readonly words: [number, Word][]; readonly scalars: Step["scalars"] } {
  return {
    words: buffers.map((buffer, i) => [start + layout.bufferOffset(i), bufferWord(buffer, 0)]),
    scalars: scalars.map((scalar, i) => [start + layout.scalarOffset(i), scalar]),
  };
}

/** Where a kernel's buffer is, and bytes behind its start. */
export function bufferWord(buffer: number, offset: number): Word {
  return buffer === sharedBuffer ? { kind: "shared", offset } : { kind: "buffer", buffer, offset };
}

/** The functions of the library that a step needs. */
export function entriesOf(step: Step): LibraryEntry[] {
  const entries = typeof step.function === "number" ? [] : [step.function];
  for (const [, word] of step.words) {
    if (word.kind === "slot") entries.push(word.entry);
  }
  return entries;
}
