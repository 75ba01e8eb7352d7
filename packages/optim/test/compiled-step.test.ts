import { compile, IndexError, manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  Adagrad,
  Adam,
  AdamW,
  ExponentialLR,
  LinearLR,
  Lion,
  Muon,
  OneCycleLR,
  type Optimizer,
  RMSprop,
  SequentialLR,
  SGD,
  StepLR,
} from "../src/index.ts";

const makers: Record<string, (params: Tensor[]) => Optimizer> = {
  SGD: (params) => new SGD(params, { lr: 0.1, momentum: 0.9, dampening: 0.2, weightDecay: 0.01 }),
  Adam: (params) => new Adam(params, { lr: 0.1, amsgrad: true }),
  AdamW: (params) => new AdamW(params, { lr: 0.1 }),
  RMSprop: (params) => new RMSprop(params, { lr: 0.1, momentum: 0.9, centered: true }),
  Adagrad: (params) => new Adagrad(params, { lr: 0.1, lrDecay: 0.1 }),
  Lion: (params) => new Lion(params, { lr: 0.1, weightDecay: 0.1 }),
  Muon: (params) => new Muon(params, { lr: 0.1 }),
};

test.each(Object.entries(makers))(
  "%s takes the same steps compiled, also when lr changes, also two in one call",
  (_, make) => {
    const run = (isCompiled: boolean, times: number) => {
      manualSeed(1);
      const w = tensor([1, -2, 3], { requiresGrad: true });
      const optimizer = make([w]);
      const step = (x: Tensor) => {
        const losses = Array.from({ length: times }, () => {
          const loss = w.mul(x).square().sum();
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          return loss;
        });
        return losses[times - 1];
      };
      const take = isCompiled ? compile(step) : step;
      const losses: number[] = [];
      for (let i = 0; i < 6; i++) {
        if (i === 3) optimizer.lr = 0.01;
        losses.push(take(randn([3])).itemSync());
      }
      return { losses, w: w.arraySync() };
    };
    expect(run(true, 1)).toEqual(run(false, 1));
    expect(run(true, 2)).toEqual(run(false, 2));
  },
);

test.each([
  ["SGD", (params: Tensor[]) => new SGD(params, { momentum: 0.5, nesterov: true })],
  ["AdamW", (params: Tensor[]) => new AdamW(params)],
] as const)("%s: a schedule of rate and momentum reaches compiled steps", (_, make) => {
  const run = (isCompiled: boolean) => {
    const w = tensor([1, -2, 3], { requiresGrad: true });
    const optimizer = make([w]);
    const schedule = new OneCycleLR(optimizer, 0.1, { totalSteps: 10 });
    const step = () => {
      optimizer.zeroGrad();
      w.square().sum().backward();
      optimizer.step();
    };
    const take = isCompiled ? compile(step) : step;
    for (let i = 0; i < 8; i++) {
      take();
      schedule.step();
    }
    return w.arraySync();
  };
  expect(run(true)).toEqual(run(false));
});

test.each([
  ["ExponentialLR", (optimizer: Optimizer) => new ExponentialLR(optimizer, 0.9)],
  [
    "SequentialLR",
    (optimizer: Optimizer) => {
      const warmup = new LinearLR(optimizer, { totalIters: 3 });
      return new SequentialLR(optimizer, [warmup, new StepLR(optimizer, 2)], [3]);
    },
  ],
] as const)("%s goes on with each call of a function that steps it", (_, make) => {
  const run = (isCompiled: boolean) => {
    const w = tensor([1, -2, 3], { requiresGrad: true });
    const optimizer = new Adam([w], { lr: 0.1 });
    const schedule = make(optimizer);
    const step = () => {
      optimizer.zeroGrad();
      w.square().sum().backward();
      optimizer.step();
      schedule.step();
    };
    const take = isCompiled ? compile(step) : step;
    const rates = Array.from({ length: 8 }, () => {
      take();
      return [optimizer.lr, ...schedule.getLastLr()];
    });
    return { rates, w: w.arraySync(), state: schedule.stateDict() };
  };
  expect(run(true)).toEqual(run(false));
});

/** One for the squared values of w·x + b; gives the loss. */
function stepOf(optimizer: Optimizer, w: Tensor, b: Tensor, x: Tensor): Tensor {
  const loss = w.mul(x).add(b).square().sum();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
}

/** What may change between steps, apart from `lr`. */
const changes: readonly (readonly [string, object])[] = [
  ["SGD", { momentum: 0, weightDecay: 0.1 }],
  ["SGD", { momentum: 0.5, nesterov: true, dampening: 0 }],
  ["Adam", { betas: [0.5, 0.6], weightDecay: 0.1, eps: 0.1 }],
  ["AdamW", { betas: [0.5, 0.6], weightDecay: 0.1, maximize: true }],
  ["RMSprop", { alpha: 0.5, momentum: 0, eps: 0.1 }],
  ["Adagrad", { lrDecay: 0.5, weightDecay: 0.1 }],
  ["Lion", { betas: [0.5, 0.6], weightDecay: 0.5 }],
  ["Muon", { betas: [0.5, 0.6], weightDecay: 0.5 }],
];

test.each(changes)(
  "%s: compiled steps heed %o, and whether a parameter is frozen",
  (name, change) => {
    const run = (isCompiled: boolean) => {
      manualSeed(1);
      const [w, b] = [tensor([1, -2, 3]), tensor([0.5, 1, 2])].map((x) => x.requiresGrad_());
      const optimizer = makers[name]([w, b]);
      let recorded = 0;
      const step = (x: Tensor) => {
        recorded += 1;
        return stepOf(optimizer, w, b, x);
      };
      const take = isCompiled ? compile(step) : step;
      const losses: number[] = [];
      for (let i = 0; i < 12; i++) {
        if (i === 3) Object.assign(optimizer.paramGroups[0], change);
        if (i === 6) b.requiresGrad = false;
        if (i === 9) b.requiresGrad = true;
        optimizer.lr *= 0.9;
        losses.push(take(randn([3])).itemSync());
      }
      return { losses, values: [w, b].map((x) => x.arraySync()), recorded };
    };
    const { recorded, ...compiled } = run(true);
    expect(compiled).toEqual({ losses: run(false).losses, values: run(false).values });
    expect(recorded).toBeLessThanOrEqual(4);
  },
);

test.each(Object.entries(makers))(
  "%s: compiled steps heed a state that is loaded and groups that are added",
  (_, make) => {
    const run = (isCompiled: boolean) => {
      manualSeed(1);
      const [w, b] = [tensor([1, -2, 3]), tensor([0.5, 1, 2])].map((x) => x.requiresGrad_());
      const optimizer = make([w]);
      let recorded = 0;
      const step = (x: Tensor) => {
        recorded += 1;
        b.grad = null;
        return stepOf(optimizer, w, b, x);
      };
      const take = isCompiled ? compile(step) : step;
      const losses: number[] = [];
      let state = optimizer.stateDict();
      for (let i = 0; i < 9; i++) {
        if (i === 2) state = optimizer.stateDict();
        if (i === 4) optimizer.loadStateDict(state);
        if (i === 6) optimizer.addParamGroup({ params: [b] });
        losses.push(take(randn([3])).itemSync());
      }
      return { losses, values: [w, b].map((x) => x.arraySync()), recorded };
    };
    const { recorded, ...compiled } = run(true);
    expect(compiled).toEqual({ losses: run(false).losses, values: run(false).values });
    expect(recorded).toBe(3);
  },
);

test("a compiled function that makes gradients heeds whether a parameter is frozen", () => {
  const [w, b] = [tensor([1]), tensor([2])].map((x) => x.requiresGrad_());
  const optimizer = new SGD([w, b]);
  const gradients = compile((x: Tensor) => {
    optimizer.zeroGrad();
    w.mul(x).add(b).square().sum().backward();
  });
  const seen = [true, false, true].map((isTrained) => {
    b.requiresGrad = isTrained;
    gradients(tensor([3]));
    return [w, b].map(({ grad }) => grad?.itemSync());
  });
  expect(seen).toEqual([
    [30, 10],
    [30, undefined],
    [30, 10],
  ]);
});

test.each(["Adam", "AdamW", "Adagrad"])("a step of %s that fails is not counted", (name) => {
  const run = (isCompiled: boolean, tries: number[][]) => {
    const table = tensor([[1], [-2], [3]], { requiresGrad: true });
    const optimizer = makers[name]([table]);
    const step = (ids: Tensor) => {
      optimizer.zeroGrad();
      // What is looked up is computed, so that it fails where the step is.
      table.indexSelect(0, ids.mul(1)).square().sum().backward();
      optimizer.step();
    };
    const take = isCompiled ? compile(step) : step;
    for (const ids of tries) {
      const give = () => take(tensor(ids, { dtype: "int32" }));
      if (ids[0] < 3) give();
      else expect(give).toThrow(IndexError);
    }
    return [table.dataSync(), optimizer.stateDict().state[0].step];
  };
  const expected = run(false, [
    [0, 1],
    [1, 2],
    [0, 2],
  ]);
  const tries = [
    [0, 1],
    [3, 1],
    [1, 2],
    [4, 0],
    [0, 2],
  ];
  expect(run(false, tries)).toEqual(expected);
  expect(run(true, tries)).toEqual(expected);
});
