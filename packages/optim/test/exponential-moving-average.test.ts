import { compile, noGrad, StateError, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { ExponentialMovingAverage, SGD } from "../src/index.ts";

const leaf = (...values: number[]) => tensor(values, { requiresGrad: true });

describe("ExponentialMovingAverage", () => {
  test("takes a share of the parameters at each update", () => {
    const x = leaf(8);
    const average = new ExponentialMovingAverage([x], { decay: 0.75 });
    const seen = [0, 4].map((value) => {
      noGrad(() => x.assign(tensor([value])));
      average.update();
      return average.shadowParams[0].itemSync();
    });
    expect(seen).toEqual([6, 5.5]);
    expect([average.numUpdates, x.itemSync()]).toEqual([2, 4]);
  });

  test("an update is one kernel with the next step, and has the value before it", () => {
    const x = leaf(1);
    const optimizer = new SGD([x], { lr: 0.25 });
    const average = new ExponentialMovingAverage([x], { decay: 0.5 });
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      x.grad = tensor([1]);
      optimizer.step();
      average.update();
      seen.push(x.itemSync());
    }
    // 1 → (1 + 0.75) / 2 → (0.875 + 0.5) / 2 → (0.6875 + 0.25) / 2
    expect(average.shadowParams[0].itemSync()).toBe(0.46875);
    expect(seen).toEqual([0.75, 0.5, 0.25]);
  });

  test("begins quickly if asked to, also compiled", () => {
    const run = (isCompiled: boolean) => {
      const x = leaf(10);
      const average = new ExponentialMovingAverage([x], { useNumUpdates: true });
      noGrad(() => x.assign(tensor([0])));
      const update = () => average.update();
      const take = isCompiled ? compile(update) : update;
      take();
      take();
      return average.shadowParams[0].itemSync();
    };
    // Decays 2/11 and 3/12.
    expect(run(false)).toBeCloseTo((10 * 2) / 11 / 4, 6);
    expect(run(true)).toBe(run(false));
  });

  test("averages stand in for the parameters while a function runs", async () => {
    const x = leaf(1);
    const average = new ExponentialMovingAverage([x], { decay: 0 });
    noGrad(() => x.assign(tensor([5])));
    expect(average.averageParameters(() => x.itemSync())).toBe(1);
    expect(x.itemSync()).toBe(5);
    expect(await average.averageParameters(async () => x.item())).toBe(1);
    expect(x.itemSync()).toBe(5);
    expect(() =>
      average.averageParameters(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(x.itemSync()).toBe(5);
    average.copyTo();
    expect(x.itemSync()).toBe(1);
  });

  test("a state dict is a snapshot, and loads", () => {
    const [x, y] = [leaf(2), leaf(0)];
    const average = new ExponentialMovingAverage([x], { decay: 0.5 });
    average.update();
    const dict = average.stateDict();
    noGrad(() => x.assign(tensor([0])));
    average.update();
    const other = new ExponentialMovingAverage([y]);
    other.loadStateDict(dict);
    expect([other.decay, other.numUpdates, other.shadowParams[0].itemSync()]).toEqual([0.5, 1, 2]);
    expect(() => other.loadStateDict({ ...dict, shadow_params: [] })).toThrow(StateError);
    expect(() => other.loadStateDict({ ...dict, shadow_params: [leaf(1, 2)] })).toThrow(
      "loadStateDict: shapes must be equal, got [2] for [1].",
    );
  });

  test("refuses what makes no sense", () => {
    expect(() => new ExponentialMovingAverage([])).toThrow(
      "there must be parameters, got an empty",
    );
    const model = { parameters: () => [] };
    expect(() => Reflect.construct(ExponentialMovingAverage, [model])).toThrow(
      "ExponentialMovingAverage: parameters must be a list of tensors, got an Object. Pass model.parameters().",
    );
    expect(() => new ExponentialMovingAverage([leaf(1)], { decay: 2 })).toThrow(
      "in [0, 1], got 2.",
    );
    expect(() => new ExponentialMovingAverage([leaf(1)]).restore()).toThrow("Call store() first.");
  });
});
