import { manualSeed, noGrad, ones, randn, StateError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { Linear, MLP, Module, Parameter, Sequential } from "../src/index.ts";

describe("stateDict and loadStateDict", () => {
  test("a model that loads another's state gives the same results", () => {
    manualSeed(1);
    const a = new MLP(3, [5, 4], 2);
    const b = new MLP(3, [5, 4], 2);
    const x = randn([6, 3]);
    expect(b.forward(x).arraySync()).not.toEqual(a.forward(x).arraySync());
    const { missingKeys, unexpectedKeys } = b.loadStateDict(a.stateDict());
    expect([missingKeys, unexpectedKeys]).toEqual([[], []]);
    expect(b.forward(x).arraySync()).toEqual(a.forward(x).arraySync());
  });

  test("what was taken stays as it was, and loading copies", () => {
    const a = new Linear(1, 1);
    noGrad(() => a.weight.assign(tensor([[1]])));
    const taken = a.stateDict();
    noGrad(() => a.weight.assign(tensor([[2]])));
    expect(a.weight.itemSync()).toBe(2);
    expect(taken.weight.itemSync()).toBe(1);

    const b = new Linear(1, 1);
    b.loadStateDict(taken);
    noGrad(() => b.weight.assign(tensor([[3]])));
    expect([b.weight.itemSync(), taken.weight.itemSync()]).toEqual([3, 1]);
    expect(taken.weight.requiresGrad).toBe(false);
  });

  test("loading changes parameters in place and converts dtypes", () => {
    const model = new Linear(2, 1);
    const { weight } = model;
    model.loadStateDict({
      weight: tensor([[0.5, 1.5]], { dtype: "float64" }),
      bias: tensor([3], { dtype: "int32" }),
    });
    expect(model.weight).toBe(weight);
    expect(model.weight.dtype).toBe("float32");
    expect([model.weight.arraySync(), model.bias?.arraySync()]).toEqual([[[0.5, 1.5]], [3]]);
    expect(model.weight.requiresGrad).toBe(true);
  });

  test("all that does not fit is said at once, and nothing is loaded", () => {
    const model = new Sequential(new Linear(2, 2), new Linear(2, 1));
    const before = model.stateDict();
    const dict = { "0.weight": zeros([2, 3]), "0.bias": zeros([2]), "2.weight": zeros([1]) };
    expect(() => model.loadStateDict(dict)).toThrow(StateError);
    expect(() => model.loadStateDict(dict)).toThrow(
      [
        "loadStateDict: the state dict must fit Sequential, got",
        "  missing: 1.weight, 1.bias",
        "  unexpected: 2.weight",
        "  0.weight: shape [2, 3] instead of [2, 2]",
        "Nothing was loaded.",
      ].join("\n"),
    );
    expect(model.stateDict()["0.bias"].arraySync()).toEqual(before["0.bias"].arraySync());
  });

  test("without strict, what fits is loaded; shapes must agree all the same", () => {
    const model = new Linear(2, 1);
    const result = model.loadStateDict(
      { weight: ones([1, 2]), other: ones([1]) },
      { strict: false },
    );
    expect(result).toEqual({ missingKeys: ["bias"], unexpectedKeys: ["other"] });
    expect(model.weight.arraySync()).toEqual([[1, 1]]);
    const misfit = { weight: ones([3]) };
    expect(() => model.loadStateDict(misfit, { strict: false })).toThrow(
      "weight: shape [3] instead of [1, 2]",
    );
    expect(() => model.loadStateDict({})).toThrow("To load what fits, pass { strict: false }.");
    const load = (given: unknown) => () => Reflect.apply(model.loadStateDict, model, [given]);
    expect(load(undefined)).toThrow("loadStateDict: a state dict must be given, got undefined.");
    expect(load(Promise.resolve({}))).toThrow("got a promise. Await it.");
  });

  test("what is not a tensor is refused", () => {
    const dict = JSON.parse('{"weight": [[1]], "bias": [1]}');
    expect(() => new Linear(1, 1).loadStateDict(dict)).toThrow("weight: not a tensor (object)");
  });

  test("a tied parameter is saved under each key and loaded once for all", () => {
    class Tied extends Module {
      readonly encoder: Linear = new Linear(2, 2, { bias: false });
      readonly decoder: Linear = new Linear(2, 2, { bias: false });
      constructor() {
        super();
        Object.assign(this.decoder, { weight: this.encoder.weight });
      }
      forward(): void {}
    }
    const model = new Tied();
    const dict = model.stateDict();
    expect(Object.keys(dict)).toEqual(["encoder.weight", "decoder.weight"]);
    const other = new Tied();
    other.loadStateDict(dict);
    expect(other.decoder.weight).toBe(other.encoder.weight);
    expect(other.encoder.weight.arraySync()).toEqual(model.encoder.weight.arraySync());
  });

  test("a parameter of another module may be loaded from itself", () => {
    class Single extends Module {
      readonly value: Parameter = new Parameter(tensor([1, 2]));
      forward(): void {}
    }
    const model = new Single();
    model.loadStateDict({ value: model.value });
    expect(model.value.arraySync()).toEqual([1, 2]);
  });
});
