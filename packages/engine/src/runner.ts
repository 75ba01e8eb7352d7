import type { Backend } from "./backend.ts";
import { Box } from "./box.ts";
import { createArray } from "./dtype.ts";
import { MemoryTable } from "./memory-table.ts";
import { compilePlan, type Plan, type PlanOptions } from "./plan.ts";
import { PlanCache } from "./plan-cache.ts";
import type { Run } from "./recording.ts";
import { type PlanReport, reportOf } from "./report.ts";
import type { Walk } from "./walk.ts";

/** Results this small go to the heap at once. */
const smallResult = 64;

/** Finds or makes the plan for a graph, brings the values that it needs, runs it, keeps the results. */
export class Runner {
  readonly backend: Backend;
  readonly memory: MemoryTable;
  readonly cache: PlanCache = new PlanCache();
  readonly #options: PlanOptions;
  /** How many plans have been made. */
  compiled: number = 0;
  /** Gets a report of each run, with the kernels' times. */
  onRun: ((report: PlanReport) => void) | undefined;

  constructor(backend: Backend, options: PlanOptions) {
    this.backend = backend;
    this.#options = options;
    this.memory = new MemoryTable(backend);
  }

  /** The same on another backend; values move along, through the heap. */
  moved(backend: Backend): Runner {
    this.memory.pageOutAll();
    const runner = new Runner(backend, this.#options);
    runner.compiled = this.compiled;
    runner.onRun = this.onRun;
    return runner;
  }

  planFor(walk: Walk): Plan {
    return this.cache.find(walk, () => {
      const plan = compilePlan(walk, this.backend, this.#options);
      this.compiled += 1;
      return plan;
    });
  }

  /** A run of the plan for a graph on its values. */
  bind(walk: Walk): Run {
    const plan = this.planFor(walk);
    const { boxes, scalars, goal } = walk;
    const byBuffer = new Array<Box | undefined>(plan.program.buffers.length);
    const outputs = goal.outputs.map(({ dtype, shape }, i) => {
      const buffer = plan.outputBuffers[i];
      const box = byBuffer[buffer] ?? new Box(dtype, shape);
      if (buffer >= 0) byBuffer[buffer] = box;
      return box;
    });
    return { plan, boxes, scalars, outputs, states: goal.states.map(({ box }) => box) };
  }

  /**
   * Runs a plan on the values that it is bound to, and puts its results where they belong.
   *
   * @param recomputed - For the report: operations that a plan before has computed.
   */
  execute({ plan, boxes, scalars, outputs, states }: Run, recomputed: number = 0): void {
    const { memory, backend, onRun } = this;
    const { program, executable, boxBuffers, outputBuffers } = plan;
    const addresses = new Array<number>(program.buffers.length).fill(-1);
    for (let slot = 0; slot < boxes.length; slot++) {
      const buffer = boxBuffers[slot];
      if (buffer >= 0) addresses[buffer] = memory.bring(boxes[slot]);
    }
    for (let i = 0; i < outputs.length; i++) {
      const buffer = outputBuffers[i];
      const { storage } = outputs[i];
      if (buffer < 0) storage.host = createArray(storage.dtype, 0);
      else if (addresses[buffer] < 0) addresses[buffer] = memory.place(outputs[i]);
    }
    const values = scalars.map(({ value }) => (typeof value === "function" ? value() : value));
    try {
      if (!onRun) executable.run(addresses, values);
      else {
        const times = new Array<number>(program.kernels.length).fill(0);
        executable.run(addresses, values, (kernel, milliseconds) => {
          times[kernel] += milliseconds;
        });
        onRun(reportOf(plan, times, recomputed));
      }
    } catch (error) {
      for (const { storage } of outputs) memory.drop(storage);
      throw error;
    }
    for (const { storage } of states) storage.host = undefined;
    for (const { storage } of outputs) {
      const { address, bytes, dtype, length } = storage;
      if (bytes > smallResult || address === undefined || !backend.readSync) continue;
      storage.host = backend.readSync(address, dtype, length);
      memory.drop(storage);
    }
    memory.end();
  }
}
