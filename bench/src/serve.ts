// The child's side of a measurement: one process a contestant, which prepares a workload when asked
// and then times it round by round. Requests and replies are lines of JSON. `torch/contestant.py`
// is the same in Python.
import { createInterface } from "node:readline";
import type { Reply, Request } from "./protocol.ts";

/** A workload that has been set up. */
export interface Workload {
  /** Does the work once, to the end. */
  run(): unknown;
  /** What to report besides times, such as the last loss. */
  facts?(): Record<string, number>;
}

/** How a contestant sets up each workload that it knows. */
export type Workloads = Readonly<Record<string, () => Workload | Promise<Workload>>>;

/** Shorter work is repeated within a sample, so that the clock's resolution does not matter. */
const shortestSample = 1; // ms

/**
 * Answers requests until the parent closes the pipe. Setting up a workload forgets the one before.
 *
 * @param longestWarmUp - Milliseconds. Work that takes longer is timed once, cold, since all others wait.
 */
export async function serve(workloads: Workloads, longestWarmUp = Infinity): Promise<void> {
  let current: { name: string; workload: Workload; repeat: number } | undefined;
  const peak = () => process.resourceUsage().maxRSS * 1024;
  for await (const line of createInterface({ input: process.stdin })) {
    const { workload: name, warmUp, budget } = JSON.parse(line) as Request;
    try {
      if (!(name in workloads)) {
        reply({ unsupported: true });
        continue;
      }
      let times: number[] | undefined;
      if (current?.name !== name) {
        current = undefined;
        const workload = await workloads[name]();
        const { repeat, cold } = await warm(workload, warmUp, longestWarmUp);
        current = { name, workload, repeat };
        if (cold !== undefined) times = [cold];
      }
      times ??= await sample(current.workload, current.repeat, budget);
      reply({ times, facts: current.workload.facts?.() ?? {}, peak: peak() });
    } catch (error) {
      current = undefined;
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Runs until the time is spent, three times at least; finds how often one sample should run it. */
async function warm(
  workload: Workload,
  budget: number,
  longest: number,
): Promise<{ repeat: number; cold?: number }> {
  const start = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 || performance.now() - start < budget; i++) {
    // Work that takes seconds is warm after two runs: a plan of later steps is made in the second.
    if (i > 1 && performance.now() - start > 2000) break;
    fastest = Math.min(fastest, await time(workload, 1));
    if (i === 0 && fastest > longest) return { repeat: 1, cold: fastest };
  }
  return { repeat: Math.max(1, Math.ceil(shortestSample / fastest)) };
}

async function sample(workload: Workload, repeat: number, budget: number): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  while (times.length === 0 || (performance.now() - start < budget && times.length < 500)) {
    times.push((await time(workload, repeat)) / repeat);
    // Outside of the time: finalizers and whatever else needs the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return times;
}

async function time(workload: Workload, repeat: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) {
    const pending = workload.run();
    if (pending instanceof Promise) await pending;
  }
  return performance.now() - start;
}

function reply(message: Reply): void {
  process.stdout.write(`reply ${JSON.stringify(message)}\n`);
}
