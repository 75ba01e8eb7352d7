import { wholeLines } from "@gradloom/engine";
import { maxChunks } from "./control-block.ts";
import * as planWords from "./plan-words.ts";
import * as stepField from "./step-words.ts";
import type { Step } from "./steps.ts";

/**
 * Work, in nanoseconds, below which a second thread costs more than it helps. Sharing is worth it early: what a
 * thread has computed is in its cache when the next kernel gives it the same part.
 */
const worthSharing = 2500;
/** The same for a whole plan: threads may have to be woken. */
const worthWaking = 25000;
/**
 * Work of a chunk, if there is enough: the next one may go to another thread, because this one has come late, has
 * lost its core for a while, or is on a slower one; and it may find faster code.
 */
const chunkNanoseconds = 6000;
/** The most steps of a group, so that each can have several chunks. */
const groupSteps = 8;

/** A step of one of the program's kernels. */
export interface PlacedStep {
  readonly step: Step;
  readonly kernel: number;
  /** Whether all steps before must have finished. */
  readonly barrier: boolean;
  /** Where its arguments are. */
  address: number;
}

/** Steps that may run at the same time. */
interface Group {
  readonly steps: readonly PlacedStep[];
  /** Whether it is offered to all threads. */
  readonly parallel: boolean;
}

/** Steps in groups. */
export interface PlanLayout {
  readonly groups: readonly Group[];
  /** Words of the plan. */
  readonly words: number;
  /** Nanoseconds of work to share with other threads, or 0: too little to wake them. */
  readonly shared: number;
}

/** Decides what is shared among the threads, for a plan that is run so many times. */
export function layOutPlan(steps: readonly PlacedStep[], threads: number, times = 1): PlanLayout {
  const groups: Group[] = [];
  let shared = 0;
  let open: PlacedStep[] = [];
  const close = (): void => {
    if (open.length === 0) return;
    const nanoseconds = open.reduce((sum, { step }) => sum + step.nanoseconds, 0);
    const parallel = threads > 1 && nanoseconds >= worthSharing && open.every(isShareable);
    if (parallel) shared += nanoseconds;
    groups.push({ steps: open, parallel });
    open = [];
  };
  for (const step of steps) {
    const first = open[0];
    if (
      step.barrier ||
      open.length === groupSteps ||
      (first && isShareable(first) !== isShareable(step))
    )
      close();
    open.push(step);
  }
  close();
  let words: number = planWords.groups;
  for (const group of groups) words += planWords.group + group.steps.length * planWords.step;
  return { groups, words, shared: shared * times >= worthWaking ? shared : 0 };
}

/** Whether other threads have all functions that a step calls, its epilogue among them. */
function isShareable({ step }: PlacedStep): boolean {
  return step.entries.every((entry) => !entry.firstThreadOnly);
}

/** How many units of a step, one of so many, a chunk has. */
function grainOf({ units, nanoseconds, leastGrain }: Step, threads: number, steps: number): number {
  const wanted = threads * Math.max(1, Math.round(nanoseconds / threads / chunkNanoseconds));
  const most = Math.floor(maxChunks / steps);
  const chunks = Math.min(wanted, units, most - (most % threads) || 1);
  const grain = Math.ceil(units / chunks / leastGrain) * leastGrain;
  // Whole vectors, where there are many units.
  return grain >= 64 && 16 % leastGrain === 0 ? Math.ceil(grain / 16) * 16 : grain;
}

/** How many argument blocks a step has: one for each thread if it needs memory of a thread's own. */
export function copies(step: Step, threads: number): number {
  return step.ownBytes > 0 ? threads : 1;
}

/** Writes a plan into memory. */
export function writePlan(
  words: Int32Array,
  at: number,
  { groups }: Pick<PlanLayout, "groups">,
  threads: number,
): void {
  let i = at >>> 2;
  words[i++] = groups.length;
  for (const { steps, parallel } of groups) {
    words[i++] = steps.length;
    const total = i++;
    words[total] = 0;
    for (const { step, address } of steps) {
      const grain = grainOf(step, parallel ? threads : 1, steps.length);
      const chunks = Math.ceil(step.units / grain);
      if (parallel) words[total] += chunks;
      const stride = copies(step, threads) > 1 ? wholeLines(step.argumentBytes) : 0;
      const slot = typeof step.function === "number" ? step.function : step.function.slot;
      words[i + stepField.position / 4] = slot;
      words[i + stepField.argumentBlock / 4] = address;
      words[i + stepField.argumentStride / 4] = stride;
      words[i + stepField.units / 4] = step.units;
      words[i + stepField.grain / 4] = grain;
      words[i + stepField.chunks / 4] = chunks;
      i += planWords.step;
    }
  }
}
