import type { Module } from "@gradloom/layers";
import { noGrad, realize, StateError } from "@gradloom/tensor";
import { type Batches, checkBatch } from "./batch.ts";
import { BatchStream } from "./batch-stream.ts";
import { Breath } from "./breath.ts";
import { LossMeter } from "./loss-meter.ts";
import type { MetricValue } from "./metric.ts";
import type { Abort, Values } from "./records.ts";
import type { Setup } from "./setup.ts";

/**
 * The loss and the metrics over all batches, in evaluation mode. What was being measured in training goes on afterwards.
 *
 * @returns `undefined` if the signal was aborted before the end.
 */
export async function evaluate<Input, Target, Prediction>(
  op: string,
  setup: Setup<Input, Target, Prediction>,
  data: Batches<Input, Target>,
  signal: Abort | undefined,
): Promise<Values | undefined> {
  const metrics = [...setup.metrics.values()];
  const before = metrics.map((metric) => metric.stateDict());
  for (const metric of metrics) metric.reset();
  const modes = modesOf(setup.model);
  setup.model.eval();
  const measureAll = () => measure(op, setup, data, signal);
  try {
    return await (setup.average === undefined
      ? measureAll()
      : setup.average.averageParameters(measureAll));
  } finally {
    restoreModes(modes);
    metrics.forEach((metric, i) => void metric.loadStateDict(before[i]));
  }
}

async function measure<Input, Target, Prediction>(
  op: string,
  setup: Setup<Input, Target, Prediction>,
  data: Batches<Input, Target>,
  signal: Abort | undefined,
): Promise<Values | undefined> {
  const stream = new BatchStream(op, data);
  const meter = new LossMeter(op);
  const breath = new Breath();
  try {
    for (let i = 1; !signal?.aborted; i++) {
      const batch = await stream.next();
      if (batch === undefined) {
        if (i === 1) throw emptyData(op, "data to evaluate");
        await meter.drain();
        return valuesOf(meter, setup);
      }
      checkBatch(op, batch);
      const [input, target] = batch;
      const loss = noGrad(() => {
        const prediction = setup.forward(input);
        for (const metric of setup.metrics.values()) metric.update(prediction, target);
        return setup.loss(op, prediction, target);
      });
      realize(loss);
      meter.add(loss, setup.weight(batch), i);
      if (!breath.isDue) continue;
      await meter.drain();
      await breath.take();
    }
    return undefined;
  } finally {
    await stream.close();
  }
}

/** What has been measured. */
export async function valuesOf<Input, Target, Prediction>(
  meter: LossMeter,
  { metrics }: Setup<Input, Target, Prediction>,
): Promise<Values> {
  const values: { loss: number } & Record<string, MetricValue> = { loss: meter.mean };
  for (const [name, metric] of metrics) values[name] = await metric.compute();
  return values;
}

/** The error for data without a batch. */
export function emptyData(op: string, what: string): StateError {
  return new StateError(
    `${op}: the ${what} must have one batch at least, got none. With dropLast, a batch may be larger than all data; what can be iterated once only, a generator's result, is used up: pass a DataLoader or a list.`,
    { op },
  );
}

/** Which modules are in training, so that those that were frozen by `eval()` stay so. */
function modesOf(model: Module): ReadonlyMap<Module, boolean> {
  return new Map(model.modules().map((module) => [module, module.training]));
}

function restoreModes(modes: ReadonlyMap<Module, boolean>): void {
  for (const [module, mode] of modes) module.training = mode;
}
