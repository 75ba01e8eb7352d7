import { ArgumentError, memoryStats, ShapeError, StateError, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  Adagrad,
  Adam,
  CosineAnnealingLR,
  ExponentialLR,
  LinearLR,
  MultiStepLR,
  NoamLR,
  OneCycleLR,
  type Optimizer,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
  WarmupCosineLR,
} from "../src/index.ts";

const leaf = () => tensor([1], { requiresGrad: true });
const sgd = (lr = 1): Optimizer => new SGD([leaf()], { lr });

describe("a schedule", () => {
  test("sets the rate of each group, and says what it set", () => {
    const optimizer = new SGD([{ params: [leaf()] }, { params: [leaf()], lr: 4 }], { lr: 1 });
    const schedule = new StepLR(optimizer, 2, { gamma: 0.5 });
    const seen = [1, 2, 3, 4].map(() => {
      schedule.step();
      return schedule.getLastLr();
    });
    expect(seen).toEqual([
      [1, 4],
      [0.5, 2],
      [0.5, 2],
      [0.25, 1],
    ]);
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.25, 1]);
    expect(schedule.lastEpoch).toBe(4);
  });

  test("compiles nothing", () => {
    const x = leaf();
    const optimizer = new SGD([x], { momentum: 0.9 });
    const schedule = new OneCycleLR(optimizer, 0.1, { totalSteps: 20 });
    const step = () => {
      optimizer.zeroGrad();
      x.square().sum().backward();
      optimizer.step();
      schedule.step();
    };
    step();
    step();
    const { compiledPlans, compiledKernels } = memoryStats();
    for (let i = 0; i < 10; i++) step();
    expect(memoryStats()).toMatchObject({ compiledPlans, compiledKernels });
  });

  test("goes on with lastEpoch in an optimizer that was loaded", () => {
    const optimizer = sgd();
    const schedule = new CosineAnnealingLR(optimizer, 10);
    for (let i = 0; i < 4; i++) schedule.step();
    const later = sgd();
    later.loadStateDict(optimizer.stateDict());
    const resumed = new CosineAnnealingLR(later, 10, { lastEpoch: 3 });
    expect(resumed.getLastLr()[0]).toBeCloseTo(schedule.getLastLr()[0], 12);
    for (let i = 0; i < 9; i++) for (const s of [schedule, resumed]) s.step();
    expect(later.lr).toBeCloseTo(optimizer.lr, 12);
    expect(() => Reflect.construct(StepLR, [{}, 1])).toThrow(
      "StepLR: what comes first must be an optimizer, got an Object.",
    );
    expect(() => new StepLR(sgd(), 1, { lastEpoch: 3 })).toThrow(
      "StepLR: with lastEpoch, every group must have initialLr, got none in group 0.",
    );
  });

  test("loads a state dict, settings and rates too, without the optimizer's", () => {
    const [a, b] = [sgd(), sgd(7)];
    const schedule = new ExponentialLR(a, 0.5);
    schedule.step();
    const other = new ExponentialLR(b, 0.9);
    other.loadStateDict({ ...schedule.stateDict(), verbose: false });
    for (const s of [schedule, other]) s.step();
    expect([a.lr, b.lr]).toEqual([0.25, 0.25]);
  });

  test("refuses what does not fit, and changes nothing", () => {
    const optimizer = sgd();
    const schedule = new StepLR(optimizer, 3);
    const dict = schedule.stateDict();
    expect(() => schedule.loadStateDict({})).toThrow(StateError);
    expect(() => schedule.loadStateDict({})).toThrow(
      "loadStateDict: last_epoch must fit the schedule StepLR, got nothing. Nothing was loaded.",
    );
    expect(() => schedule.loadStateDict({ ...dict, base_lrs: [1, 2] })).toThrow("got [1,2]");
    expect(() => schedule.loadStateDict({ ...dict, gamma: "x" })).toThrow(
      'gamma must fit the schedule StepLR, got "x"',
    );
    expect(schedule.stateDict()).toEqual(dict);
  });
});

test.each([
  ["StepLR", (o: Optimizer) => new StepLR(o, 1, { gamma: 0.5 })],
  ["OneCycleLR", (o: Optimizer) => new OneCycleLR(o, 1, { totalSteps: 9 })],
  ["NoamLR", (o: Optimizer) => new NoamLR(o, 16, 3)],
  ["WarmupCosineLR", (o: Optimizer) => new WarmupCosineLR(o, 2, 9)],
  [
    "SequentialLR",
    (o: Optimizer) => new SequentialLR(o, [new LinearLR(o), new ExponentialLR(o, 0.5)], [3]),
  ],
])("%s leaves groups alone that were added after it was made", (_, make) => {
  const optimizer = sgd();
  const schedule = make(optimizer);
  optimizer.addParamGroup({ params: [leaf()], lr: 7 });
  schedule.step();
  expect(optimizer.paramGroups[0].lr).not.toBe(7);
  expect(optimizer.paramGroups[1].lr).toBe(7);
  schedule.loadStateDict(schedule.stateDict());
  expect(optimizer.paramGroups[1].lr).toBe(7);
});

test("NoamLR rises along a line, then falls with the root of the steps", () => {
  const optimizer = sgd(2);
  const schedule = new NoamLR(optimizer, 16, 4);
  const rates = Array.from({ length: 16 }, () => {
    const [lr] = schedule.getLastLr();
    schedule.step();
    return lr;
  });
  // 2 / √16 · min(1/√n, n / 8)
  for (const n of [1, 2, 3, 4]) expect(rates[n - 1]).toBeCloseTo(n / 16, 12);
  for (const n of [4, 9, 16]) expect(rates[n - 1]).toBeCloseTo(0.5 / Math.sqrt(n), 12);
  expect(() => new NoamLR(optimizer, 16, 0)).toThrow("warmupSteps must be a positive integer");
});

test("WarmupCosineLR rises to the rate, falls to the least, and stays", () => {
  const optimizer = sgd(2);
  const schedule = new WarmupCosineLR(optimizer, 4, 8, { etaMin: 1 });
  const rates = Array.from({ length: 10 }, () => {
    const { lr } = optimizer;
    schedule.step();
    return lr;
  });
  const [a, b] = [1 + (1 + Math.SQRT1_2) / 2, 1 + (1 - Math.SQRT1_2) / 2];
  expect(rates).toEqual([0, 0.5, 1, 1.5, 2, a, 1.5, b, 1, 1].map((lr) => expect.closeTo(lr, 12)));
});

describe("SequentialLR", () => {
  test("starts each schedule at its milestone, from the first rate", () => {
    const optimizer = sgd(8);
    const parts = [
      new LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 }),
      new ExponentialLR(optimizer, 0.5),
    ];
    const schedule = new SequentialLR(optimizer, parts, [2]);
    const rates = Array.from({ length: 5 }, () => {
      const { lr } = optimizer;
      schedule.step();
      return lr;
    });
    expect(rates).toEqual([4, 6, 8, 4, 2]);
    const dict = schedule.stateDict();
    expect(() => schedule.loadStateDict({ ...dict, _schedulers: [] })).toThrow("_schedulers");
    const [first] = dict._schedulers as object[];
    const broken = { ...dict, _schedulers: [first, { last_epoch: 1, gamma: [] }] };
    expect(() => schedule.loadStateDict(broken)).toThrow(
      "gamma must fit the schedule ExponentialLR",
    );
    expect(schedule.stateDict()).toEqual(dict);
  });

  test("refuses schedules of others, and milestones that do not fit", () => {
    const optimizer = sgd();
    const part = new StepLR(optimizer, 1);
    const make = (schedules: readonly unknown[], milestones: number[]) => () =>
      new SequentialLR(optimizer, schedules as StepLR[], milestones);
    expect(make([part, new StepLR(sgd(), 1)], [1])).toThrow("got another one as number 1");
    expect(make([part, new ReduceLROnPlateau(optimizer)], [1])).toThrow("depend on steps alone");
    expect(make([part], [1])).toThrow("one milestone less than schedules, got 1 for 1");
    expect(make([part, part, part], [4, 3])).toThrow("ascending integers from 1 on, got [4, 3]");
  });
});

describe("ReduceLROnPlateau", () => {
  test("reduces after more than patience steps without an improvement", () => {
    const optimizer = sgd();
    const schedule = new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
    const rates = [3, 2, 2, 2, 1, Number.NaN, 1].map((metric) => {
      schedule.step(metric);
      return optimizer.lr;
    });
    expect(rates).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25]);
    expect(schedule.best).toBe(1);
    schedule.step(tensor(0.5));
    expect(schedule.best).toBe(0.5);
    expect(() => schedule.step(tensor([1, 2]))).toThrow(ShapeError);
    expect(() => schedule.step()).toThrow("step() must be given a metric, got undefined");
  });

  test("a state dict goes through JSON, also before the first metric", () => {
    const [a, b] = [sgd(), sgd()];
    const [first, second] = [a, b].map((o) => new ReduceLROnPlateau(o, { patience: 0 }));
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    expect(second.best).toBe(Number.POSITIVE_INFINITY);
    first.step(1);
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    for (const schedule of [first, second]) schedule.step(2);
    expect([a.lr, b.lr]).toEqual([0.1, 0.1]);
    expect(() => second.loadStateDict({ last_epoch: 1 })).toThrow("num_bad_epochs must fit");
  });
});

test("a phase of the cycle that takes no step is over at once", () => {
  const rates = (totalSteps: number, pctStart: number) => {
    const optimizer = new SGD([leaf()], { momentum: 0.9 });
    const schedule = new OneCycleLR(optimizer, 1, { totalSteps, pctStart });
    return Array.from({ length: totalSteps }, () => {
      const rate = optimizer.lr;
      schedule.step();
      return rate;
    });
  };
  expect(rates(10, 0.1)[0]).toBe(1);
  expect(rates(10, 0.1)[1]).toBeCloseTo(0.97, 3);
  expect(rates(10, 0.1)[9]).toBeCloseTo(1 / 25 / 1e4, 12);
  expect(rates(4, 1)[3]).toBe(1);
  expect(rates(1, 1)).toEqual([1]);
});

test("a line to 0 ends there, not below, so that the rate can be loaded", () => {
  const optimizer = sgd();
  const schedule = new LinearLR(optimizer, { endFactor: 0 });
  for (let i = 0; i < 5; i++) schedule.step();
  expect(optimizer.lr).toBe(0);
  sgd().loadStateDict(optimizer.stateDict());
});

test("milestones that PyTorch has counted are loaded", () => {
  const optimizer = sgd();
  const schedule = new MultiStepLR(optimizer, []);
  const state = { milestones: { "2": 1, "3": 2 }, gamma: 0.5, last_epoch: 1, _last_lr: [1] };
  schedule.loadStateDict(state);
  const rates = [2, 3, 4].map(() => {
    schedule.step();
    return optimizer.lr;
  });
  expect(rates).toEqual([0.5, 0.125, 0.125]);
  expect(schedule.stateDict()).toMatchObject({ milestones: [2, 3, 3] });
  for (const milestones of [{ "2": 0.5 }, { "2": -1 }, { end: 1 }, { "2.5": 1 }]) {
    expect(() => schedule.loadStateDict({ ...state, milestones })).toThrow(
      `milestones must fit the schedule MultiStepLR, got ${JSON.stringify(milestones)}.`,
    );
  }
});

test("options out of range", () => {
  const o = sgd();
  const wrong: [() => unknown, string][] = [
    [() => new StepLR(o, 0), "StepLR: stepSize must be a positive integer, got 0."],
    [
      () => new MultiStepLR(o, [1.5]),
      "MultiStepLR: milestones must be a list of integers, got [1.5].",
    ],
    [() => new MultiStepLR(o, 3 as never), "milestones must be a list of integers, got 3."],
    [
      () => new OneCycleLR(o, undefined as never, { totalSteps: 3, cycleMomentum: false }),
      "OneCycleLR: maxLr must be a finite number, or one for each of 1 groups, got [NaN].",
    ],
    [
      () => new ExponentialLR(o, Number.NaN),
      "ExponentialLR: gamma must be a finite number, got NaN.",
    ],
    [
      () => Reflect.construct(ExponentialLR, [o, 0.9, { gamma: 1 }]),
      "ExponentialLR: options must be among lastEpoch, got gamma.",
    ],
    [() => Reflect.construct(NoamLR, [o, 8, 4, 1]), "options must be among lastEpoch, got 1."],
    [() => new CosineAnnealingLR(o, 0.5), "tMax must be a positive integer"],
    [() => new LinearLR(o, { startFactor: 0 }), "LinearLR: startFactor must be in (0, 1], got 0."],
    [() => new LinearLR(o, { endFactor: 2 }), "LinearLR: endFactor must be in [0, 1], got 2."],
    [() => new WarmupCosineLR(o, 5, 4), "from 0 to totalSteps (4), got 5."],
    [
      () => new OneCycleLR(o, 1, { totalSteps: 3, divFactor: 0 }),
      "OneCycleLR: divFactor must be a finite number above 0, got 0.",
    ],
    [() => new OneCycleLR(o, 1), "totalSteps, or epochs and stepsPerEpoch, must be given"],
    [() => new OneCycleLR(o, [1, 2], { totalSteps: 3 }), "one for each of 1 groups, got [1, 2]"],
    [() => new OneCycleLR(o, 1, { totalSteps: 3, pctStart: 2 }), "pctStart must be in [0, 1]"],
    [
      () => new OneCycleLR(new Adagrad([leaf()]), 1, { totalSteps: 3 }),
      "the optimizer must have momentum or betas, got Adagrad. Pass cycleMomentum: false.",
    ],
    [() => new ReduceLROnPlateau(o, { factor: 1 }), "factor must be below 1, got 1."],
    [
      () => new ReduceLROnPlateau(o, { mode: "up" as never }),
      'mode must be "min" or "max", got up.',
    ],
  ];
  for (const [make, message] of wrong) {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  }
  const schedule = new OneCycleLR(new Adam([leaf()]), 1, { totalSteps: 2 });
  schedule.step();
  schedule.step();
  expect(() => schedule.step()).toThrow("OneCycleLR: there must be at most 2 steps, got 3.");
});
