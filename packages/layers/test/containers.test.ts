import { ArgumentError, ones, StateError } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  Identity,
  Linear,
  ModuleDict,
  ModuleList,
  ReLU,
  Residual,
  Sequential,
} from "../src/index.ts";

describe("ModuleList", () => {
  test("is a list", () => {
    const [a, b, c] = [new Linear(1, 1), new Linear(1, 2), new Linear(2, 1)];
    const list = new ModuleList([a, b]);
    expect(list.push(c)).toBe(list);
    expect([...list]).toEqual([a, b, c]);
    expect([list.length, list.at(0), list.at(-1), list.at(3)]).toEqual([3, a, c, undefined]);
    expect(list.namedParameters().map(([key]) => key)).toEqual([
      "0.weight",
      "0.bias",
      "1.weight",
      "1.bias",
      "2.weight",
      "2.bias",
    ]);
    expect(() => list.forward()).toThrow(StateError);
  });
});

describe("ModuleDict", () => {
  test("is a dictionary whose names are keys as they are", () => {
    const [left, right] = [new Linear(1, 1), new ReLU()];
    const dict = new ModuleDict<Linear | ReLU>({ leftSide: left });
    dict.set("right", right);
    expect([...dict]).toEqual([
      ["leftSide", left],
      ["right", right],
    ]);
    expect([dict.size, dict.has("right"), dict.has("up")]).toEqual([2, true, false]);
    expect([dict.get("leftSide"), dict.keys(), dict.values()]).toEqual([
      left,
      ["leftSide", "right"],
      [left, right],
    ]);
    expect(Object.keys(dict.stateDict())).toEqual(["leftSide.weight", "leftSide.bias"]);
    expect(() => dict.forward()).toThrow("ModuleDict: forward is not defined");
    expect(() => dict.set("a.b", left)).toThrow('a name must be a text without dots, got "a.b"');
    expect(() => dict.set("", left)).toThrow(ArgumentError);
  });
});

describe("Sequential", () => {
  test("runs one layer after the other", () => {
    const [a, b] = [new Linear(2, 3), new Linear(3, 1)];
    const model = new Sequential(a, new ReLU(), b);
    const x = ones([4, 2]);
    expect(model.forward(x).arraySync()).toEqual(b.forward(a.forward(x).relu()).arraySync());
    expect([model.length, [...model].length, model.at(-1)]).toEqual([3, 3, b]);
    expect(new Sequential().forward(x)).toBe(x);
  });

  test("refuses what is not a module", () => {
    const layers = [new ReLU()];
    expect(() => Reflect.construct(Sequential, [layers])).toThrow(
      "Sequential: what it holds must be modules",
    );
    expect(() => Reflect.construct(ModuleList, [new Linear(1, 1)])).toThrow(
      "ModuleList: modules must be an array of modules, got Linear.",
    );
    expect(() => Reflect.construct(ModuleList, [[undefined]])).toThrow(
      "got undefined at position 0",
    );
  });
});

describe("Residual", () => {
  test("adds what goes around", () => {
    expect(new Residual(new Identity()).forward(ones([2])).arraySync()).toEqual([2, 2]);
    const keys = new Residual(new Linear(1, 1)).namedParameters().map(([key]) => key);
    expect(keys).toEqual(["module.weight", "module.bias"]);
  });
});
