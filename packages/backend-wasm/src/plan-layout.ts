import { maxChunks } from "./control-block.ts";
import * as planWords from "./plan-words.ts";
import * as stepField from "./step-words.ts";
import { entriesOf, type Step } from "./steps.ts";

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

/** Steps that may run at the same time. */
interface Group {
  readonly steps: readonly {
    readonly step: Step;
    readonly grain: number;
    readonly chunks: number;
  }[];
  /** Whether it is offered to all threads. */
  readonly parallel: boolean;
}

/** Steps cut into chunks, in groups. */
export interface PlanLayout {
  readonly groups: readonly Group[];
  /** Words of the plan. */
  readonly words: number;
  /** Nanoseconds of work to share with other threads, or 0: too little to wake them. */
  readonly shared: number;
}

/** Decides what is shared among the threads, and in how large pieces, for a plan that is run so many times. */
export function layOutPlan(steps: readonly Step[], threads: number, times = 1): PlanLayout {
  const groups: Group[] = [];
  let shared = 0;
  let open: Step[] = [];
  const close = (): void => {
    if (open.length === 0) return;
    const nanoseconds = open.reduce((sum, step) => sum + step.nanoseconds, 0);
    const parallel = threads > 1 && nanoseconds >= worthSharing && open.every(isShareable);
    if (parallel) shared += nanoseconds;
    const most = Math.floor(maxChunks / open.length);
    groups.push({ steps: open.map((step) => cut(step, parallel ? threads : 1, most)), parallel });
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
function isShareable(step: Step): boolean {
  return entriesOf(step).every((entry) => !entry.firstThreadOnly);
}

function cut(step: Step, threads: number, most: number): Group["steps"][number] {
  const { units, nanoseconds } = step;
  const wanted = threads * Math.max(1, Math.round(nanoseconds / threads / chunkNanoseconds));
  const chunks = Math.min(wanted, units, most - (most % threads) || 1);
  let grain = Math.ceil(units / chunks / step.leastGrain) * step.leastGrain;
  // Whole vectors, where there are many units.
  if (grain >= 64 && 16 % step.leastGrain === 0) grain = Math.ceil(grain / 16) * 16;
  return { step, grain, chunks: Math.ceil(units / grain) };
}

/** Writes a plan into memory, given where each step's arguments are. */
export function writePlan(
  words: Int32Array,
  at: number,
  { groups }: Pick<PlanLayout, "groups">,
  argumentsOf: (step: Step) => { readonly address: number; readonly stride: number },
): void {
  let i = at >>> 2;
  words[i++] = groups.length;
  for (const { steps, parallel } of groups) {
    words[i++] = steps.length;
    words[i++] = parallel ? steps.reduce((sum, { chunks }) => sum + chunks, 0) : 0;
    for (const { step, grain, chunks } of steps) {
      const { address, stride } = argumentsOf(step);
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
