import { full, setDetectAnomaly, type Tensor, tensor } from "@gradloom/tensor";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Linear, Module, Sequential } from "../src/index.ts";

beforeEach(() => setDetectAnomaly(true));
afterEach(() => setDetectAnomaly(false));

class Logarithm extends Module {
  forward(x: Tensor): Tensor {
    return x.log();
  }
}

class Network extends Module {
  readonly layers: Sequential = new Sequential(new Linear(2, 1), new Logarithm());

  forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("no anomaly was found");
}

test("an anomaly says in which modules it appeared", () => {
  const network = new Network();
  network.loadStateDict({ "layers.0.weight": full([1, 2], -1), "layers.0.bias": full([1], 0) });
  const message = messageOf(() => network.forward(tensor([[1, 1]])));
  expect(message).toMatch(/^log: the result must be finite, got NaN /);
  expect(message).toContain("It was recorded in Network > Sequential > Logarithm.");
});

test("also for a gradient", () => {
  const network = new Network();
  network.loadStateDict({ "layers.0.weight": full([1, 2], 1), "layers.0.bias": full([1], 0) });
  const x = tensor([[1e-39, 0]], { requiresGrad: true });
  const message = messageOf(() => network.forward(x).sum().backward());
  expect(message).toContain("backward: the gradient that");
  expect(message).toContain("It was recorded in Network > Sequential > Logarithm.");
});
