import {
  type Kernel,
  type LoopKernel,
  type RepeatKernel,
  type ScatterKernel,
  type SortKernel,
  stagesOf,
  wholeLines,
} from "@gradloom/engine";
import { scalarOffset } from "./argument-block.ts";
import { loopNanoseconds } from "./cost.ts";
import type { Features } from "./features.ts";
import { exactKey, type KernelLibrary, type LibraryEntry } from "./library.ts";
import { type LoopPlan, planLoops, planSink } from "./loop-kernel.ts";
import { countIterations } from "./loop-nest.ts";
import { matmulAsLoops } from "./matmul-loop.ts";
import { isBlocked } from "./matmul-plan.ts";
import { sharedBuffer, splitTerms } from "./matmul-split.ts";
import { matmulSteps } from "./matmul-steps.ts";
import { planScatter, scatterSink, zeroKernel } from "./scatter-kernel.ts";
import { planSort, sortSink } from "./sort-kernel.ts";
import { winogradOf } from "./winograd.ts";

/** A word of an argument block: an address that is put together when the memory is laid out. */
export type Word =
  | number
  /** A buffer of the kernel, and bytes behind its start. */
  | { readonly kind: "buffer"; readonly buffer: number; readonly offset: number }
  /** Bytes behind the start of the memory that all threads share, of what is kept there, or of a thread's own. */
  | { readonly kind: "shared"; readonly offset: number }
  | { readonly kind: "kept"; readonly offset: number }
  | { readonly kind: "own"; readonly offset: number }
  /** Bytes behind the start of this argument block. */
  | { readonly kind: "self"; readonly offset: number }
  /** One of the kernel's scalars, in all lanes of the vector that starts here. */
  | { readonly kind: "scalar"; readonly scalar: number }
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
  /** Whether all steps before must have finished, even if the kernel need not wait. */
  readonly barrier: boolean;
  /** Whether the first repetition of a loop does this for all of them. */
  readonly once?: boolean;
  readonly argumentBytes: number;
  /** The functions of the library that it needs. */
  readonly entries: readonly LibraryEntry[];
  readonly words: readonly (readonly [offset: number, word: Word])[];
  /** Needs of memory while it runs. */
  readonly sharedBytes: number;
  readonly ownBytes: number;
}

/** What {@link stepsOf} needs to know. */
export interface StepContext {
  readonly features: Features;
  readonly library: KernelLibrary;
  readonly threads: number;
  /** Whether the second operand of a product is the same in all repetitions: what is packed of it is kept. */
  readonly isStill: boolean;
  /** Takes bytes of shared memory that nothing else is in. */
  readonly keep: (bytes: number) => number;
}

/** A kernel that is no loop of kernels: the body of one is a program of its own. */
export type StraightKernel = Exclude<Kernel, RepeatKernel>;

/**
 * The steps that carry out a kernel: buffers and scalars in them are those of the kernel, in its order. So they are the same for all
 * kernels that differ in nothing else, as those of a loop that a program has unrolled, and are made once.
 */
export function stepsOf(kernel: StraightKernel, context: StepContext): readonly Step[] {
  const form = {
    ...kernel,
    buffers: [...kernel.buffers.keys()],
    scalars: [...kernel.scalars.keys()],
    label: [],
  };
  // What is kept from one repetition to the next is in a place of its own.
  if (context.isStill) return makeSteps(form, context);
  const key = `${context.threads} ${exactKey(form, stagesOf(form))}`;
  return context.library.stepsOf(key, () => makeSteps(form, context));
}

function makeSteps(kernel: StraightKernel, context: StepContext): Step[] {
  if (kernel.kind === "loop") return loopSteps(kernel, context);
  if (kernel.kind === "sort") return sortSteps(kernel, context);
  if (kernel.kind === "scatter") return scatterSteps(kernel, context);
  if (!isBlocked(kernel)) return loopSteps(matmulAsLoops(kernel), context);
  const isWhole = context.isStill || winogradOf(kernel)?.kind === "result";
  const split = isWhole ? undefined : splitTerms(kernel);
  if (!split) return matmulSteps(kernel, context);
  return [
    // What was in the shared memory before may still be read.
    ...matmulSteps(split.parts, context, true, split.bytes),
    ...loopSteps(split.sum, context, true),
  ];
}

function scatterSteps(kernel: ScatterKernel, context: StepContext): Step[] {
  const zero = loopSteps(zeroKernel(kernel), context);
  if (countIterations([...kernel.outer, ...kernel.stage.inner]) === 0) return zero;
  const plan = planScatter(kernel, context.threads);
  const { loops, nanoseconds } = plan;
  const known = JSON.stringify(plan, ["index", "stride", "combine", "range"]);
  const sink = planSink(loops, known, [], (frame) => scatterSink(plan, frame));
  return [...zero, ...loopSteps(loops, context, true, sink, nanoseconds)];
}

function sortSteps(kernel: SortKernel, context: StepContext): Step[] {
  if (kernel.count === 0) return [];
  const plan = planSort(kernel);
  const { loops, scratchBytes, nanoseconds } = plan;
  const known = ["size", "count", "descending", "target", "offset", "strides"];
  const sink = planSink(loops, JSON.stringify(kernel, known), scratchBytes, (frame) =>
    sortSink(plan, frame),
  );
  // One thread alone needs memory: not each thread as much.
  const isAlone = countIterations(kernel.outer) === 1;
  return loopSteps(loops, context, isAlone, sink, nanoseconds, isAlone ? "shared" : "own");
}

/** @param place - Where its scratch rows are. */
function loopSteps(
  kernel: LoopKernel,
  { library, features }: StepContext,
  barrier = false,
  { key, told, write, needs }: LoopPlan = planLoops(kernel),
  nanoseconds = loopNanoseconds(kernel),
  place: "shared" | "own" = "own",
): Step[] {
  const units = countIterations(kernel.outer) / needs.points;
  if (!(units > 0)) return [];
  let end = 0;
  const scratch = needs.scratchBytes.map((bytes): Word => {
    const offset = end;
    end += wholeLines(bytes + 16);
    return { kind: place, offset };
  });
  const entry = library.get(key, () => write(features));
  return [
    {
      function: entry,
      entries: [entry],
      units,
      leastGrain: needs.leastGrain,
      nanoseconds,
      barrier,
      ...argumentsOf(kernel, [...scratch, ...told], 0),
      sharedBytes: place === "own" ? 0 : end,
      ownBytes: place === "own" ? end : 0,
    },
  ];
}

/** The buffers and scalars of a kernel, and other words, in a block of arguments from a place on. */
export function argumentsOf(
  { buffers, scalars }: Kernel,
  others: readonly Word[],
  start: number,
): { readonly words: [number, Word][]; readonly argumentBytes: number } {
  const first = [...buffers.map((buffer) => bufferWord(buffer, 0)), ...others];
  const at = (scalar: number) => start + scalarOffset(first.length, scalar);
  const words = first.map((word, i): [number, Word] => [start + 4 * i, word]);
  for (const [i, scalar] of scalars.entries()) words.push([at(i), { kind: "scalar", scalar }]);
  return { words, argumentBytes: at(scalars.length) };
}

/** Where a kernel's buffer is, and bytes behind its start. */
export function bufferWord(buffer: number, offset: number): Word {
  return buffer === sharedBuffer ? { kind: "shared", offset } : { kind: "buffer", buffer, offset };
}
