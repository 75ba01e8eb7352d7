import { ArgumentError, ones, type Tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  Buffer,
  FeedForward,
  init,
  LayerNorm,
  Linear,
  Module,
  Parameter,
  ReLU,
  RMSNorm,
  Sequential,
} from "../src/index.ts";

class Scale extends Module {
  forward(options: { by: { factor: number } }): number {
    return options.by.factor;
  }
}

class Twice extends Module {
  readonly inner: Linear = new Linear(2, 2);

  forward(x: Tensor): Tensor {
    return this.inner.forward(this.inner.forward(x));
  }
}

test.each([
  [[1, 2], "an array"],
  [new Float32Array(2), "a Float32Array"],
  [3, "3"],
  ["a", '"a"'],
  [null, "null"],
  [undefined, "undefined"],
])("a layer that is given no tensor says so: %o", (input, shown) => {
  const rule = `: it must be given a tensor, got ${shown}. Make one with tensor(…).`;
  const models = {
    Linear: new Linear(2, 3),
    LayerNorm: new LayerNorm(2),
    ReLU: new ReLU(),
  };
  for (const [name, model] of Object.entries(models)) {
    expect(() => model.forward(input as never)).toThrow(ArgumentError);
    expect(() => model.forward(input as never)).toThrow(name + rule);
  }
  // The one that could do nothing with it is named.
  expect(() => new Sequential(new Linear(2, 3), new ReLU()).forward(input as never)).toThrow(
    `Linear${rule}`,
  );
  expect(() => new Twice().forward(input as never)).toThrow(`Linear${rule}`);
});

test("the error keeps what it led to", () => {
  const failed = (run: () => unknown): Error => {
    try {
      run();
    } catch (error) {
      return error as Error;
    }
    throw new Error("It did not fail.");
  };
  expect(failed(() => new Linear(2, 3).forward(3 as never)).cause).toBeInstanceOf(TypeError);
});

test("other errors, and those of modules that take other things, stay what they are", () => {
  const scale = new Scale();
  expect(scale.forward({ by: { factor: 3 } })).toBe(3);
  expect(() => scale.forward({} as never)).toThrow(TypeError);
  expect(() => new Linear(2, 3).forward(ones([1, 4]))).toThrow("got [1, 4]");
});

test("what is made of a tensor refuses anything else", () => {
  for (const wrong of [3, [1], undefined] as never[]) {
    expect(() => new Parameter(wrong)).toThrow("Parameter: it must be given a tensor");
    expect(() => new Buffer(wrong)).toThrow("Buffer: it must be given a tensor");
  }
});

test("shapes that are none", () => {
  expect(() => new LayerNorm(undefined as never)).toThrow("LayerNorm: shape must be a positive");
  expect(() => init.kaimingUniform(3 as never)).toThrow("kaimingUniform: the shape must have 2");
});

test.each([0, null, false])("a switch that is %o is off, as in PyTorch", (given) => {
  const off = given as never;
  const keys = (module: Module) => Object.keys(module.stateDict());
  expect(keys(new Linear(2, 3, { bias: off }))).toEqual(["weight"]);
  expect(keys(new FeedForward(2, 3, { bias: off }))).toEqual(["up.weight", "down.weight"]);
  expect(keys(new LayerNorm(2, { bias: off }))).toEqual(["weight"]);
  expect(keys(new LayerNorm(2, { elementwiseAffine: off }))).toEqual([]);
  expect(keys(new RMSNorm(2, { elementwiseAffine: off }))).toEqual([]);
});

test("options that there are not are refused, where they were ignored", () => {
  const module = new Linear(2, 2);
  const refused: [() => unknown, string][] = [
    [
      () => Reflect.construct(Parameter, [ones([1]), { requires_grad: false }]),
      "Parameter: options must be among requiresGrad, got requires_grad.",
    ],
    [
      () => Reflect.construct(Buffer, [ones([1]), { persist: false }]),
      "Buffer: options must be among persistent, got persist.",
    ],
    [
      () => Reflect.apply(module.loadStateDict, module, [module.stateDict(), false]),
      "loadStateDict: options must be among strict, got false.",
    ],
    [
      () => Reflect.apply(module.summary, module, [[1, 2], { device: "cpu" }]),
      "summary: options must be among dtype, got device.",
    ],
  ];
  for (const [call, message] of refused) {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  }
});
