import { ArgumentError, manualSeed, ones, randn, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { FeedForward, MLP } from "../src/index.ts";

describe("MLP", () => {
  test("worked out by hand", () => {
    const model = new MLP(1, [2], 1);
    model.loadStateDict({
      "layers.0.weight": tensor([[1], [-1]]),
      "layers.0.bias": tensor([0, 1]),
      "layers.1.weight": tensor([[2, 3]]),
      "layers.1.bias": tensor([0.5]),
    });
    // At 2: relu(2, −1) = (2, 0), so 4.5. At −1: relu(−1, 2) = (0, 2), so 6.5.
    expect(model.forward(tensor([[2], [-1]])).arraySync()).toEqual([[4.5], [6.5]]);
  });

  test("without hidden layers it is a linear map", () => {
    const model = new MLP(3, [], 2);
    expect(Object.keys(model.stateDict())).toEqual(["layers.0.weight", "layers.0.bias"]);
    expect(model.forward(ones([5, 3])).shape).toEqual([5, 2]);
  });

  test("activations by name and by function agree, and none follows the last layer", () => {
    manualSeed(2);
    const [a, b] = [
      new MLP(2, [4, 4], 2, { activation: "tanh" }),
      new MLP(2, [4, 4], 2, { activation: (x) => x.tanh() }),
    ];
    b.loadStateDict(a.stateDict());
    const x = randn([8, 2]).mul(10);
    expect(b.forward(x).arraySync()).toEqual(a.forward(x).arraySync());
    const [first, second, last] = a.layers;
    const h = second.forward(first.forward(x).tanh()).tanh();
    expect(a.forward(x).arraySync()).toEqual(last.forward(h).arraySync());
  });

  test("drops hidden features in training only", () => {
    const model = new MLP(4, [64], 4, { dropout: 0.5 });
    const x = ones([1, 4]);
    expect(model.forward(x).arraySync()).not.toEqual(model.forward(x).arraySync());
    model.eval();
    expect(model.forward(x).arraySync()).toEqual(model.forward(x).arraySync());
  });

  test("prints, and refuses bad options when it is made", () => {
    expect(String(new MLP(1, [2], 1, { activation: "gelu" }))).toBe(
      [
        "MLP(activation=gelu",
        "  (layers): ModuleList(",
        "    (0): Linear(inFeatures=1, outFeatures=2, bias=true)",
        "    (1): Linear(inFeatures=2, outFeatures=1, bias=true)",
        "  )",
        "  (dropout): Dropout(p=0)",
        ")",
      ].join("\n"),
    );
    expect(() => Reflect.construct(MLP, [1, [2], 1, { activation: "swish" }])).toThrow(
      ArgumentError,
    );
    expect(() => new MLP(1, [0], 1)).toThrow("must be a positive integer, got 0");
    expect(() => Reflect.construct(MLP, [1, 8, 1])).toThrow(
      "MLP: hidden must be an array of sizes, got 8.",
    );
    expect(() => new MLP(1, [2], 1, { dropout: -0.1 })).toThrow("p must be in [0, 1], got -0.1");
  });
});

describe("FeedForward", () => {
  test("is down(activation(up(x)))", () => {
    const model = new FeedForward(2, 8, { activation: "silu" });
    const x = randn([3, 5, 2]);
    const y = model.down.forward(model.up.forward(x).silu());
    expect(model.forward(x).arraySync()).toEqual(y.arraySync());
    expect(model.namedParameters().map(([key, p]) => [key, p.shape])).toEqual([
      ["up.weight", [8, 2]],
      ["up.bias", [8]],
      ["down.weight", [2, 8]],
      ["down.bias", [2]],
    ]);
    expect(new FeedForward(2, 4, { bias: false }).numParameters).toBe(16);
  });
});
