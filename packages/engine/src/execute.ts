import type { Backend } from "./backend.ts";
import { createArray } from "./dtype.ts";
import type { MemoryTable } from "./memory-table.ts";
import type { Run } from "./recording.ts";
import { type PlanReport, reportOf } from "./report.ts";

/** Results this small go to the heap at once. */
const smallResult = 64;

/**
 * Runs a plan on the values that it is bound to, and puts its results where they belong.
 *
 * @param onRun - Gets a report with the kernels' times.
 * @param recomputed - For the report: operations that a plan before has computed.
 */
export function execute(
  { plan, boxes, scalars, outputs, states }: Run,
  memory: MemoryTable,
  backend: Backend,
  onRun: ((report: PlanReport) => void) | undefined,
  recomputed: number,
): void {
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
    if (onRun === undefined) executable.run(addresses, values);
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
    if (bytes > smallResult || address === undefined || backend.readSync === undefined) continue;
    storage.host = backend.readSync(address, dtype, length);
    memory.drop(storage);
  }
  memory.end();
}
