import * as optim from "@gradloom/optim";
import { zeros } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, readFixtures } from "./fixture.ts";

type Call = readonly [name: string, args: readonly unknown[], options: object];

interface ScheduleCase extends Case {
  readonly optimizer: "SGD" | "Adam";
  /** The learning rates of the groups before any schedule. */
  readonly rates: readonly number[];
  readonly args?: readonly unknown[];
  readonly options?: object;
  /** The schedules of a sequence, or of several at once. */
  readonly parts?: readonly Call[];
  readonly milestones?: readonly number[];
  readonly metrics?: readonly number[];
  /** The rates, and momentum or the first beta, of the groups before each step. */
  readonly lrs: readonly (readonly number[])[];
  readonly momenta: readonly (readonly number[])[];
}

function build(optimizer: optim.Optimizer, [name, args, options]: Call): optim.Schedule {
  const found: unknown = Reflect.get(optim, name);
  if (typeof found !== "function") throw new Error(`@gradloom/optim has no ${name}.`);
  return Reflect.construct(found, [optimizer, ...args, options]);
}

function makeSchedules(c: ScheduleCase, optimizer: optim.Optimizer): optim.Schedule[] {
  if (c.parts === undefined) return [build(optimizer, [c.op, c.args ?? [], c.options ?? {}])];
  const parts = c.parts.map((part) => build(optimizer, part));
  if (c.milestones === undefined) return parts;
  return [new optim.SequentialLR(optimizer, parts as optim.LRSchedule[], c.milestones)];
}

function makeOptimizer(c: ScheduleCase): optim.Optimizer {
  const groups = c.rates.map((lr) => ({ params: [zeros([1], { requiresGrad: true })], lr }));
  return c.optimizer === "SGD" ? new optim.SGD(groups, { momentum: 0.5 }) : new optim.Adam(groups);
}

function momenta({ paramGroups }: optim.Optimizer): number[] {
  return paramGroups.map((group) => {
    const { momentum, betas } = group as { momentum?: number; betas?: readonly number[] };
    return momentum ?? betas?.[0] ?? Number.NaN;
  });
}

describe("schedules, step by step", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("schedules")));

  /** Compares from step `from` on; the schedule has been brought there. */
  function follow(c: ScheduleCase, optimizer: optim.Optimizer, from: number, to: number): void {
    const schedules = optimizers.get(optimizer)!;
    for (let t = from; t < to; t++) {
      const what = `group rates before step ${t}`;
      const lrs = optimizer.paramGroups.map(({ lr }) => lr);
      comparison.checkNumbers(c.op, "values", lrs, c.lrs[t], "float64", what);
      comparison.checkNumbers(
        c.op,
        "values",
        momenta(optimizer),
        c.momenta[t],
        "float64",
        "momenta",
      );
      for (const schedule of schedules) schedule.step(c.metrics?.[t]);
    }
  }
  const optimizers = new Map<optim.Optimizer, optim.Schedule[]>();
  function start(c: ScheduleCase): optim.Optimizer {
    const optimizer = makeOptimizer(c);
    optimizers.set(optimizer, makeSchedules(c, optimizer));
    return optimizer;
  }

  const cases = readFixtures<ScheduleCase>("schedules");
  test.each(cases)("$op $optimizer $args $options", (c) => {
    expect(c.lrs).toHaveLength(50);
    follow(c, start(c), 0, 50);
  });

  test.each(cases)("$op $optimizer $args $options, saved and loaded on the way", (c) => {
    const before = start(c);
    follow(c, before, 0, 23);
    const text = JSON.stringify([
      before.stateDict(),
      optimizers.get(before)!.map((schedule) => schedule.stateDict()),
    ]);
    const [state, schedules] = JSON.parse(text);
    const after = start(c);
    for (const [i, schedule] of optimizers.get(after)!.entries()) {
      schedule.loadStateDict(schedules[i]);
    }
    after.loadStateDict(state);
    follow(c, after, 23, 50);
  });
});
