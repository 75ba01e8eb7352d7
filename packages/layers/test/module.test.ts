import { inspect } from "node:util";
import {
  ArgumentError,
  DTypeError,
  noGrad,
  ones,
  StateError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  Buffer,
  Dropout,
  Linear,
  Module,
  ModuleDict,
  ModuleList,
  Parameter,
  Sequential,
  Tanh,
} from "../src/index.ts";

/** Fields of every kind, declared so that buffers and children come before parameters. */
class Model extends Module {
  readonly runningMean: Buffer = new Buffer(zeros([2]));
  readonly cache: Buffer = new Buffer(zeros([1]), { persistent: false });
  readonly selfAttn: Linear = new Linear(2, 2);
  readonly layers: ModuleList<Linear> = new ModuleList([new Linear(2, 3), new Linear(3, 2)]);
  readonly weightIhL0: Parameter = new Parameter(ones([3, 2]));
  readonly plain: Tensor = zeros([5]);
  readonly name = "a text";
  readonly #hidden: Parameter = new Parameter(ones([7]));

  forward(x: Tensor): Tensor {
    return x.mul(this.#hidden.sum());
  }
}

describe("parts", () => {
  test("keys are snake_case paths; parameters of a module come before its children's", () => {
    expect(new Model().namedParameters().map(([key]) => key)).toEqual([
      "weight_ih_l0",
      "self_attn.weight",
      "self_attn.bias",
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.weight",
      "layers.1.bias",
    ]);
  });

  test("buffers are listed apart; those that do not persist are not in the state dict", () => {
    const model = new Model();
    expect(model.namedBuffers().map(([key]) => key)).toEqual(["running_mean", "cache"]);
    expect(model.buffers()).toEqual([model.runningMean, model.cache]);
    const keys = Object.keys(model.stateDict());
    expect(keys.slice(0, 2)).toEqual(["weight_ih_l0", "running_mean"]);
    expect(keys).not.toContain("cache");
    expect(keys).toHaveLength(8);
  });

  test("modules come before their children", () => {
    const model = new Model();
    expect(model.namedModules().map(([key]) => key)).toEqual([
      "",
      "self_attn",
      "layers",
      "layers.0",
      "layers.1",
    ]);
    expect(model.modules()[0]).toBe(model);
    expect(model.children()).toEqual([model.selfAttn, model.layers]);
    expect(model.namedChildren().map(([key]) => key)).toEqual(["self_attn", "layers"]);
  });

  test("what is shared counts once, and has all its keys in the state dict", () => {
    const shared = new Linear(2, 2);
    const model = new Sequential(shared, new Tanh(), shared);
    expect(model.parameters()).toEqual([shared.weight, shared.bias]);
    expect(model.numParameters).toBe(6);
    expect(model.modules()).toHaveLength(3);
    expect(Object.keys(model.stateDict())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
  });

  test("a tied parameter counts once", () => {
    class Tied extends Module {
      readonly embedding: Linear = new Linear(2, 3, { bias: false });
      readonly weight: Parameter = this.embedding.weight;
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const model = new Tied();
    expect(model.namedParameters().map(([key]) => key)).toEqual(["weight"]);
    expect(Object.keys(model.stateDict())).toEqual(["weight", "embedding.weight"]);
  });

  test("capitals in a row are one word", () => {
    class Odd extends Module {
      readonly qkvProj: Parameter = new Parameter(ones([1]));
      readonly toQKV: Parameter = new Parameter(ones([1]));
      readonly ln_1: Parameter = new Parameter(ones([1]));
      readonly MLPBlock: Parameter = new Parameter(ones([1]));
      forward(): void {}
    }
    const keys = new Odd().namedParameters().map(([key]) => key);
    expect(keys).toEqual(["qkv_proj", "to_qkv", "ln_1", "mlp_block"]);
  });

  test("parts in a plain array or object are refused", () => {
    class InArray extends Module {
      readonly layers: Linear[] = [new Linear(1, 1)];
      forward(): void {}
    }
    class InObject extends Module {
      readonly weights: Record<string, Parameter> = { a: new Parameter(ones([1])) };
      forward(): void {}
    }
    expect(() => new InArray().parameters()).toThrow(ArgumentError);
    expect(() => new InArray().parameters()).toThrow(
      "InArray: a plain array must not hold parts of a module, got Linear in layers. Use new ModuleList(…).",
    );
    expect(() => new InObject().stateDict()).toThrow("Give each a field of its own.");
  });

  test("two fields with one key, and a module inside itself, are refused", () => {
    class Twice extends Module {
      readonly fooBar: Parameter = new Parameter(ones([1]));
      readonly foo_bar: Parameter = new Parameter(ones([1]));
      forward(): void {}
    }
    class Loop extends Module {
      readonly inner: ModuleList = new ModuleList();
      forward(): void {}
    }
    expect(() => new Twice().parameters()).toThrow('got "foo_bar" for fooBar and foo_bar');
    const loop = new Loop();
    loop.inner.push(loop);
    expect(() => loop.parameters()).toThrow(StateError);
    expect(() => loop.parameters()).toThrow("got Loop inside itself at inner.0");
  });
});

describe("modes", () => {
  test("train and eval reach every module and return the model", () => {
    const model = new Sequential(new Dropout(0.1), new ModuleListUser());
    expect(model.eval()).toBe(model);
    expect(model.modules().map((m) => m.training)).toEqual([false, false, false, false, false]);
    expect(
      model
        .train()
        .modules()
        .every((m) => m.training),
    ).toBe(true);
  });

  test("requiresGrad_ freezes and thaws", () => {
    const model = new Linear(2, 2);
    model.requiresGrad_(false);
    expect(model.parameters().map((p) => p.requiresGrad)).toEqual([false, false]);
    model.requiresGrad_();
    expect(model.parameters().map((p) => p.requiresGrad)).toEqual([true, true]);
  });

  test("apply visits children first", () => {
    const seen: string[] = [];
    new Sequential(new Linear(1, 1), new Tanh()).apply((m) => seen.push(m.constructor.name));
    expect(seen).toEqual(["Linear", "Tanh", "Sequential"]);
  });
});

class ModuleListUser extends Module {
  readonly items: ModuleDict<Dropout> = new ModuleDict({ a: new Dropout(0.5) });
  forward(x: Tensor): Tensor {
    return x;
  }
}

describe("to", () => {
  test("converts floating parameters and buffers and keeps what is shared", () => {
    class Tied extends Module {
      readonly a: Parameter = new Parameter(tensor([1.5, 2]));
      readonly b: Parameter = this.a;
      readonly steps: Buffer = new Buffer(tensor([3], { dtype: "int32" }));
      readonly mean: Buffer = new Buffer(tensor([0.25]), { persistent: false });
      forward(): void {}
    }
    const model = new Tied();
    model.a.requiresGrad_(false);
    expect(model.to("float64")).toBe(model);
    expect(model.a).toBe(model.b);
    expect([model.a.dtype, model.steps.dtype, model.mean.dtype]).toEqual([
      "float64",
      "int32",
      "float64",
    ]);
    expect(model.a.arraySync()).toEqual([1.5, 2]);
    expect(model.a.requiresGrad).toBe(false);
    expect(model.mean.persistent).toBe(false);
    expect(() => model.to("int32")).toThrow("must be float32 or float64, got int32");
  });

  test("a converted model computes in its dtype, with gradients", () => {
    const model = new Linear(2, 1).to("float64");
    const y = model.forward(ones([3, 2], { dtype: "float64" }));
    expect(y.dtype).toBe("float64");
    y.sum().backward();
    expect(model.weight.grad?.arraySync()).toEqual([[3, 3]]);
  });
});

describe("Parameter and Buffer", () => {
  test("a parameter is a leaf that requires a gradient", () => {
    const parameter = new Parameter(tensor([1, 2]).mul(2));
    expect(parameter.requiresGrad).toBe(true);
    expect(parameter.isLeaf).toBe(true);
    expect(parameter.arraySync()).toEqual([2, 4]);
    noGrad(() => parameter.assign(tensor([5, 6])));
    expect(parameter.arraySync()).toEqual([5, 6]);
  });

  test("a trained parameter is floating", () => {
    const integers = tensor([1], { dtype: "int32" });
    expect(() => new Parameter(integers)).toThrow(DTypeError);
    expect(new Parameter(integers, { requiresGrad: false }).dtype).toBe("int32");
    expect(new Buffer(integers).requiresGrad).toBe(false);
  });
});

test("prints as a tree, with equal neighbours on one line", () => {
  class Block extends Module {
    readonly up: Linear = new Linear(4, 8);
    readonly drop: Dropout = new Dropout(0.1);
    forward(x: Tensor): Tensor {
      return this.drop.forward(this.up.forward(x));
    }
  }
  class Net extends Module {
    readonly blocks: ModuleList<Block> = new ModuleList([new Block(), new Block(), new Block()]);
    readonly outProj: Linear = new Linear(8, 1, { bias: false });
    forward(): void {}
  }
  const text = [
    "Net(",
    "  (blocks): ModuleList(",
    "    (0-2): 3 × Block(",
    "      (up): Linear(inFeatures=4, outFeatures=8, bias=true)",
    "      (drop): Dropout(p=0.1)",
    "    )",
    "  )",
    "  (out_proj): Linear(inFeatures=8, outFeatures=1, bias=false)",
    ")",
  ].join("\n");
  expect(inspect(new Net())).toBe(text);
  expect(String(new Net())).toBe(text);
});

test("forward may have any signature, and keeps its types", () => {
  class Recurrent extends Module {
    forward(x: Tensor, state?: readonly [Tensor, Tensor]): [Tensor, readonly [Tensor, Tensor]] {
      return [x, state ?? [x, x]];
    }
  }
  class Counter extends Module {
    forward(text: string): number {
      return text.length;
    }
  }
  const x = ones([1]);
  const [y, [h]] = new Recurrent().forward(x);
  const length: number = new Counter().forward("abc");
  expect(y).toBe(x);
  expect(h).toBe(x);
  expect(length).toBe(3);
  const modules: Module[] = [new Recurrent(), new Counter(), new Linear(1, 1)];
  expect(modules).toHaveLength(3);
  // @ts-expect-error: a Counter does not map a tensor to a tensor.
  const list = new Sequential(new Counter());
  expect(list).toHaveLength(1);
});
