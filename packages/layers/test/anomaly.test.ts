import { AnomalyError, full, setDetectAnomaly, type Tensor, tensor, vmap } from "@gradloom/tensor";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Linear, Module, ModuleList, Sequential } from "../src/index.ts";

beforeEach(() => setDetectAnomaly(true));
afterEach(() => setDetectAnomaly(false));

class Logarithm extends Module {
  forward(x: Tensor): Tensor {
    return x.log();
  }
}

/** Inherits its `forward`. */
class NamedLogarithm extends Logarithm {}

class Block extends Module {
  readonly selfAttn: Sequential = new Sequential(new Linear(2, 2), new NamedLogarithm());

  forward(x: Tensor): Tensor {
    return this.selfAttn.forward(x);
  }
}

class Network extends Module {
  readonly blocks: ModuleList<Block> = new ModuleList([new Block(), new Block()]);
  readonly norm: Hidden = new Hidden();

  forward(x: Tensor): Tensor {
    let y = x;
    for (const block of this.blocks) y = block.forward(y);
    return this.norm.forward(y);
  }
}

/** What a private field holds is nowhere in the tree. */
class Hidden extends Module {
  readonly #root: Root = new Root();

  forward(x: Tensor): Tensor {
    return this.#root.forward(x);
  }
}

class Root extends Module {
  forward(x: Tensor): Tensor {
    return x.sqrt();
  }
}

const weight = "self_attn.0.weight";
const bias = "self_attn.0.bias";

/** Each block gives the logarithm of this times the sum of its two inputs. */
function network(first: number, second: number): Network {
  const made = new Network();
  for (const [i, value] of [first, second].entries()) {
    made.blocks.at(i)!.loadStateDict({ [weight]: full([2, 2], value), [bias]: full([2], 0) });
  }
  return made;
}

function errorOf(run: () => unknown): AnomalyError {
  try {
    run();
  } catch (error) {
    if (error instanceof AnomalyError) return error;
    throw error;
  }
  throw new Error("no anomaly was found");
}

const ones = tensor([[1, 1]]);

test("an anomaly names the module's path and the line of the user's code", () => {
  const { message, module, op, stack } = errorOf(() => network(1, -1).forward(ones));
  expect(op).toBe("log");
  expect(module).toBe("blocks.1.self_attn.1");
  expect(message).toMatch(
    /^log: the result must be finite, got NaN .* Line: NamedLogarithm\.forward \(.*\/layers\/test\/anomaly\.test\.ts:10:14\)\. Module: blocks\.1\.self_attn\.1 \(NamedLogarithm\) of Network\.$/,
  );
  // As deep as the line that called the network.
  expect(stack).toContain("at errorOf");
});

test("a gradient as well, where its operation was recorded", () => {
  const made = network(1, 1);
  const x = tensor([[1e-39, 0]], { requiresGrad: true });
  const { message, module } = errorOf(() => made.blocks.at(0)!.forward(x).sum().backward());
  expect(module).toBe("self_attn.1");
  expect(message).toMatch(/^backward: the gradient that "log" gives to its input 0 must be finite/);
  expect(message).toMatch(
    /anomaly\.test\.ts:10:14\)\. Module: self_attn\.1 \(NamedLogarithm\) of Block\./,
  );
});

test("a module that only a private field holds is named by its class", () => {
  const { module } = errorOf(() => network(1, 1).norm.forward(tensor([-1])));
  expect(module).toBe("<Root>");
  expect(errorOf(() => new Root().forward(tensor([-1]))).message).toContain(" Module: Root.");
});

test("also inside of vmap", () => {
  const made = network(1, -1);
  const { module } = errorOf(() => vmap((x: Tensor) => made.forward(x.unsqueeze(0)))(ones));
  expect(module).toBe("blocks.1.self_attn.1");
});

test("a class that is first used while anomalies are looked for takes part", () => {
  class Reciprocal extends Module {
    forward(x: Tensor): Tensor {
      return x.reciprocal();
    }
  }
  const made = new Sequential(new Reciprocal());
  expect(errorOf(() => made.forward(tensor([0]))).module).toBe("0");
});

test("an error leaves nothing behind, and a class that inherits its forward still does", () => {
  errorOf(() => network(1, -1).forward(ones));
  expect(errorOf(() => tensor([0]).log()).module).toBeUndefined();
  expect(Object.hasOwn(NamedLogarithm.prototype, "forward")).toBe(false);
});
