import {
  ArgumentError,
  manualSeed,
  memoryStats,
  noGrad,
  ones,
  randn,
  realize,
  StateError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Adam, Optimizer, SGD, StepLR } from "../src/index.ts";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** Σ x², whose gradient is 2 x. */
function descend(optimizer: Optimizer, ...parameters: readonly Tensor[]): void {
  optimizer.zeroGrad();
  parameters
    .map((x) => x.square().sum())
    .reduce((a, b) => a.add(b))
    .backward();
  optimizer.step();
}

describe("a step", () => {
  test("reads the loss at no extra cost afterwards, with the value before the step", () => {
    const x = leaf(3);
    const optimizer = new SGD([x], { lr: 0.5 });
    const loss = x.square().sum();
    loss.backward();
    optimizer.step();
    expect(loss.itemSync()).toBe(9);
    expect(x.itemSync()).toBe(0);
  });

  test("leaves parameters alone that have no gradient, and counts their steps apart", () => {
    const [a, b] = [leaf(1), leaf(1)];
    const optimizer = new Adam([a, b], { lr: 0.1 });
    descend(optimizer, a);
    expect(b.itemSync()).toBe(1);
    descend(optimizer, a, b);
    const { state } = optimizer.stateDict();
    expect([state["0"].step, state["1"].step]).toEqual([2, 1]);
    expect(b.itemSync()).toBeCloseTo(0.9, 6);
  });

  test("zeroGrad makes gradients null", () => {
    const x = leaf(1);
    const optimizer = new SGD([x]);
    x.sum().backward();
    expect(x.grad?.itemSync()).toBe(1);
    optimizer.zeroGrad();
    expect(x.grad).toBeNull();
    optimizer.step();
    expect(x.itemSync()).toBe(1);
  });

  test("gradients add up over several backward calls", () => {
    const x = leaf(0);
    const optimizer = new SGD([x], { lr: 1 });
    x.mul(2).sum().backward();
    x.mul(3).sum().backward();
    optimizer.step();
    expect(x.itemSync()).toBe(-5);
  });

  test("float64 parameters stay float64, with moments alike", () => {
    const x = tensor([1, 2], { dtype: "float64", requiresGrad: true });
    const optimizer = new Adam([x], { lr: 0.1 });
    descend(optimizer, x);
    const moment = optimizer.stateDict().state["0"].exp_avg as Tensor;
    expect([x.dtype, moment.dtype]).toEqual(["float64", "float64"]);
    expect(x.arraySync()).toEqual([expect.closeTo(0.9, 8), expect.closeTo(1.9, 8)]);
  });

  test.each([
    ["SGD", (x: Tensor[]) => new SGD(x, { lr: 0.1, momentum: 0.9, dampening: 0.1 })],
    ["Adam", (x: Tensor[]) => new Adam(x, { lr: 0.1, amsgrad: true })],
  ])("%s: the second and later steps compile nothing, whatever lr and t are", (_, make) => {
    const parameters = [leaf(1, 2), leaf(3), leaf(4, 5, 6)];
    const optimizer = make(parameters);
    descend(optimizer, ...parameters);
    const { compiledPlans, compiledKernels } = memoryStats();
    for (let step = 0; step < 5; step++) {
      optimizer.lr *= 0.9;
      descend(optimizer, ...parameters);
    }
    expect(memoryStats()).toMatchObject({ compiledPlans, compiledKernels });
  });
});

test("the update is compiled once for parameters of all sizes, with what else a step reads", () => {
  const step = (sizes: number[][]): number => {
    const parameters = sizes.map((size) => zeros(size, { requiresGrad: true }));
    const gradients = parameters.map(({ shape }) => ones(shape));
    realize(...gradients);
    parameters.forEach((parameter, i) => {
      parameter.grad = gradients[i];
    });
    const { compiledKernels } = memoryStats();
    new Adam(parameters, { lr: 0.5 }).step();
    return memoryStats().compiledKernels - compiledKernels;
  };
  step([[30, 20]]);
  expect(step([[300], [17, 40], [3, 5, 21], [1000, 2], [50, 1, 30]])).toBe(0);
});

describe("parameter groups", () => {
  test("have options of their own over those of the optimizer", () => {
    const [a, b] = [leaf(1), leaf(1)];
    const optimizer = new SGD(
      [
        { params: [a], lr: 0.25 },
        { params: [b], weightDecay: 1, momentum: undefined as never },
      ],
      { lr: 0.125 },
    );
    expect(
      optimizer.paramGroups.map(({ lr, weightDecay, momentum }) => [lr, weightDecay, momentum]),
    ).toEqual([
      [0.25, 0, 0],
      [0.125, 1, 0],
    ]);
    descend(optimizer, a, b);
    expect([a.itemSync(), b.itemSync()]).toEqual([0.5, 1 - 0.125 * 3]);
  });

  test("lr is that of the first group, and is set for all", () => {
    const optimizer = new SGD([{ params: [leaf(1)], lr: 0.5 }, { params: [leaf(2)] }], { lr: 0.1 });
    expect(optimizer.lr).toBe(0.5);
    optimizer.lr = 0.2;
    expect(optimizer.paramGroups.map((group) => group.lr)).toEqual([0.2, 0.2]);
    expect(() => {
      optimizer.lr = -1;
    }).toThrow("SGD: lr must be a finite number of at least 0, got -1.");
    expect(optimizer.lr).toBe(0.2);
    optimizer.paramGroups[1].lr = 0.3;
    expect(optimizer.paramGroups[1].lr).toBe(0.3);
  });

  test("any iterable will do", () => {
    const parameters = [leaf(1), leaf(2)];
    expect(new SGD(new Set(parameters)).paramGroups[0].params).toEqual(parameters);
    expect(new SGD([{ params: parameters.values() }]).paramGroups[0].params).toEqual(parameters);
  });
});

describe("what is refused", () => {
  test("options that there are not, also in a group: they would be ignored", () => {
    const wrong = (options: object): object => options;
    const names = "lr, momentum, dampening, nesterov, weightDecay, maximize";
    expect(() => new SGD([leaf(1)], wrong({ lr: 1, weight_decay: 0.1 }))).toThrow(
      `SGD: options must be among ${names}, got weight_decay.`,
    );
    expect(() => new SGD([{ params: [leaf(1)], ...wrong({ learningRate: 1 }) }])).toThrow(
      /SGD: options must be among lr, .*, got learningRate\./,
    );
    expect(() => Reflect.construct(Adam, [[leaf(1)], 0.1])).toThrow(/Adam: .* got 0\.1\./);
    expect(() => Reflect.construct(StepLR, [new SGD([leaf(1)]), 3, 0.5])).toThrow(
      "StepLR: options must be among gamma, lastEpoch, got 0.5.",
    );
  });

  const make = (params: unknown) => () => Reflect.construct(SGD, [params]);

  test("lists that are not of parameters", () => {
    expect(make([])).toThrow(ArgumentError);
    expect(make([])).toThrow("SGD: there must be parameters, got an empty list.");
    expect(make([{ params: [] }])).toThrow("got an empty list");
    expect(make(leaf(1))).toThrow("SGD: parameters must be a list of tensors, got a Tensor.");
    expect(make(undefined)).toThrow("got undefined. Pass model.parameters().");
    expect(make([{ lr: 1 }])).toThrow("must be a list of tensors, got an Object in a list.");
    // A model that is a list of layers, and named parameters.
    expect(make(new Map([["weight", leaf(1)]]))).toThrow(
      "SGD: parameters must be a list of tensors, got an Array in a list. Pass model.parameters().",
    );
    expect(make(() => [leaf(1)])).toThrow("must be a list of tensors, got a function.");
    expect(make([{ params: leaf(1) }])).toThrow("must be a list of tensors, got a Tensor.");
    expect(make([leaf(1), { params: [] }])).toThrow("parameters and groups must not be mixed");
    expect(make([{ params: [3] }])).toThrow("parameters must be tensors, got 3 as number 0.");
  });

  test("parameters that cannot be trained", () => {
    const x = leaf(1);
    expect(make([x, x.mul(2)])).toThrow(
      "SGD: parameters must be leaves, got the result of an operation as number 1.",
    );
    expect(make([x, x])).toThrow("SGD: parameters must be listed once, got one again as number 1.");
    expect(make([{ params: [x] }, { params: [leaf(2), x] }])).toThrow("as number 1 of group 1.");
    expect(make([tensor([1], { dtype: "int32" })])).toThrow("must be floating, got int32");
  });
});

describe("state dicts", () => {
  test("have PyTorch's layout", () => {
    const parameters = [leaf(1), leaf(2), leaf(3)];
    const groups = [{ params: parameters.slice(0, 2) }, { params: parameters.slice(2), lr: 0.5 }];
    const optimizer = new Adam(groups, { lr: 0.1 });
    expect(optimizer.stateDict().state).toEqual({});
    descend(optimizer, ...parameters);
    const dict = optimizer.stateDict();
    expect(dict.param_groups).toEqual([
      {
        lr: 0.1,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0,
        amsgrad: false,
        maximize: false,
        params: [0, 1],
      },
      expect.objectContaining({ lr: 0.5, params: [2] }),
    ]);
    expect(Object.keys(dict.state)).toEqual(["0", "1", "2"]);
    expect(Object.keys(dict.state["2"])).toEqual(["step", "exp_avg", "exp_avg_sq"]);
    expect((dict.state["2"].exp_avg as Tensor).itemSync()).toBeCloseTo(0.6, 6);
  });

  test("training goes on as if it had not stopped", () => {
    manualSeed(3);
    const start = randn([3, 2]);
    const run = (steps: number, x: Tensor, optimizer: Optimizer) => {
      for (let i = 0; i < steps; i++) descend(optimizer, x);
    };
    const make = () => {
      const x = tensor(start.arraySync(), { requiresGrad: true });
      return { x, optimizer: new Adam([x], { lr: 0.1, amsgrad: true }) };
    };
    const whole = make();
    run(10, whole.x, whole.optimizer);

    const before = make();
    run(5, before.x, before.optimizer);
    const dict = before.optimizer.stateDict();
    const after = make();
    noGrad(() => after.x.assign(before.x.detach().clone()));
    after.optimizer.lr = 7;
    after.optimizer.loadStateDict(dict);
    run(3, before.x, before.optimizer);
    run(5, after.x, after.optimizer);
    expect(after.x.arraySync()).toEqual(whole.x.arraySync());
    expect(after.optimizer.lr).toBe(0.1);
  });

  test("PyTorch's are understood: step as a tensor, null, and flags that mean nothing here", () => {
    const x = leaf(1, 1);
    const optimizer = new Adam([x]);
    optimizer.loadStateDict({
      state: {
        "5": {
          step: tensor(3),
          exp_avg: tensor([1, 1]),
          exp_avg_sq: tensor([1, 1], { dtype: "float64" }),
          max_exp_avg_sq: null,
        },
      },
      param_groups: [{ lr: 0.5, betas: [0.5, 0.5], foreach: null, capturable: false, params: [5] }],
    });
    expect(optimizer.paramGroups[0]).toMatchObject({ lr: 0.5, betas: [0.5, 0.5], eps: 1e-8 });
    expect(Object.keys(optimizer.paramGroups[0])).not.toContain("foreach");
    descend(optimizer, x);
    expect(optimizer.stateDict().state["0"].step).toBe(4);
    // m = ½ + ½ · 2, v = ½ + ½ · 4; both divided by 1 − ½⁴.
    const c = 15 / 16;
    expect(x.arraySync()).toEqual(
      [1, 1].map(() => expect.closeTo(1 - (0.5 * 1.5) / c / Math.sqrt(2.5 / c), 5)),
    );
  });

  test("what does not fit is said at once, and nothing changes", () => {
    const x = leaf(1, 2);
    const optimizer = new Adam([x], { lr: 0.25 });
    const [group] = optimizer.stateDict().param_groups;
    expect(() =>
      optimizer.loadStateDict({ state: {}, param_groups: [{ ...group, params: [0, 1] }] }),
    ).toThrow("groups of 2 parameters instead of 1");
    const load = () =>
      optimizer.loadStateDict({
        state: {
          "0": { step: 1, exp_avg: zeros([3]), momentum_buffer: ones([2]) },
          "7": { step: 1 },
        },
        param_groups: [{ ...group, lr: 9 }],
      });
    expect(load).toThrow(StateError);
    expect(load).toThrow(
      [
        "loadStateDict: the state dict must fit the parameters of Adam, got",
        "  exp_avg of parameter 0: shape [3] instead of [2]",
        "  momentum_buffer of parameter 0, which is not known here",
        "  a state for parameter 7, which no group has",
        "Nothing was loaded.",
      ].join("\n"),
    );
    expect(() =>
      optimizer.loadStateDict({ state: {}, param_groups: [{ ...group, lr: -9 }] }),
    ).toThrow("Adam: lr must be");
    expect(optimizer.lr).toBe(0.25);
  });
});

describe("state dicts that are none", () => {
  test.each([
    [undefined, "no state and param_groups"],
    [{ state: {} }, "no state and param_groups"],
    [{ state: {}, param_groups: [null] }, "no state and param_groups"],
    [{ state: { "0": null }, param_groups: [{ params: [0] }] }, "parameter 0: no state"],
    [{ state: { "0": { step: "x" } }, param_groups: [{ params: [0] }] }, "step of parameter 0"],
    [{ state: {}, param_groups: [{ lr: "x", params: [0] }] }, "lr: string instead of number"],
    [
      { state: {}, param_groups: [{ amsgrad: 1, params: [0] }] },
      "amsgrad: number instead of boolean",
    ],
    [
      { state: {}, param_groups: [{ betas: [0.9], params: [0] }] },
      "betas: a list of 1 instead of a list of 2",
    ],
    [{ state: {}, param_groups: [{ initial_lr: [], params: [0] }] }, "initial_lr: a list of 0"],
  ])("%j", (dict, message) => {
    const optimizer = new Adam([leaf(1)], { lr: 0.25 });
    const before = optimizer.stateDict();
    expect(() => optimizer.loadStateDict(dict as never)).toThrow(StateError);
    expect(() => optimizer.loadStateDict(dict as never)).toThrow(message);
    expect(optimizer.stateDict()).toEqual(before);
  });

  test("a rate may be a tensor, as newer versions of PyTorch keep it", () => {
    const optimizer = new Adam([leaf(1)]);
    optimizer.loadStateDict({ state: {}, param_groups: [{ lr: tensor(0.5), params: [0] }] });
    expect(optimizer.lr).toBe(0.5);
  });
});

test("a subclass needs an update and a check", () => {
  class SignSGD extends Optimizer {
    protected readonly momentNames: readonly string[] = [];
    protected checkOptions(): void {}
    protected update(theta: Tensor, gradient: Tensor, { lr }: { lr: number }): void {
      theta.assign(theta.sub(gradient.sign().mul(lr)));
    }
  }
  const x = leaf(5, -3);
  const optimizer = new SignSGD([x], { lr: 0.5 });
  descend(optimizer, x);
  expect(x.arraySync()).toEqual([4.5, -2.5]);
});
