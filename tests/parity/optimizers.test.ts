import { join } from "node:path";
import { loadTorch } from "@gradloom/checkpoint";
import { Parameter } from "@gradloom/layers";
import * as optim from "@gradloom/optim";
import type { Tensor } from "@gradloom/tensor";
import { afterAll, describe, test } from "vitest";
import { Comparison } from "./compare.ts";
import {
  type Case,
  decode,
  readFixtures,
  restore,
  type Stored,
  type StoredTensor,
} from "./fixture.ts";

interface StepsCase extends Case {
  readonly options: Readonly<Record<string, unknown>>;
  /** The options of each parameter's group, if every parameter has a group of its own. */
  readonly groups?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly StoredTensor[];
  readonly gradients: readonly (readonly StoredTensor[])[];
  /** The parameters after this many steps. */
  readonly after: Readonly<Record<string, readonly StoredTensor[]>>;
}

interface Optimizer {
  step(): void;
  zeroGrad(): void;
  loadStateDict(dict: optim.OptimizerStateDict): void;
}

function build(c: StepsCase, parameters: readonly Tensor[]): Optimizer {
  const found: unknown = Reflect.get(optim, c.op);
  if (typeof found !== "function") throw new Error(`@gradloom/optim has no ${c.op}.`);
  const groups = c.groups?.map((group, i) => ({ params: [parameters[i]], ...group }));
  return Reflect.construct(found, [groups ?? parameters, c.options]);
}

describe("optimizers, step by step", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("optimizers")));
  test.each(readFixtures<StepsCase>("optimizers"))("$op $options $groups", (c) => {
    const parameters = c.parameters.map((stored) => new Parameter(restore(stored)));
    const optimizer = build(c, parameters);
    c.gradients.forEach((gradients, step) => {
      optimizer.zeroGrad();
      // The gradient of Σ p · g with respect to p is g.
      parameters
        .map((p, i) => p.mul(restore(gradients[i])).sum())
        .reduce((a, b) => a.add(b))
        .backward();
      optimizer.step();
      c.after[String(step + 1)]?.forEach((stored, i) => {
        const what = `parameter ${i} after step ${step + 1}`;
        comparison.check(c.op, "values", parameters[i].detach(), stored, what);
      });
    });
  });
});

describe("optimizers that go on from a state of PyTorch", async () => {
  const comparison = new Comparison();
  const cases = readFixtures<StepsCase>("optimizers");
  // What `torch.save` has written of each after ten steps.
  const states = await loadTorch<(optim.OptimizerStateDict | null)[]>(
    join(import.meta.dirname, "fixtures", "optimizers.pt"),
  );
  const saved = cases.flatMap((c, i) => {
    const state = states[i];
    return state === null ? [] : [{ c, state, title: title(c) }];
  });
  test.each(saved)("$title", ({ c, state }) => {
    const parameters = c.after["10"].map((stored) => new Parameter(restore(stored)));
    // Options come with the state, apart from what decides which moments there are.
    const optimizer = build(
      { ...c, options: { ...c.options, lr: 0.7, weightDecay: 0.9 } },
      parameters,
    );
    optimizer.loadStateDict(state);
    for (const gradients of c.gradients.slice(10)) {
      parameters.forEach((parameter, i) => {
        parameter.grad = restore(gradients[i]);
      });
      optimizer.step();
    }
    c.after["20"].forEach((stored, i) => {
      comparison.check(c.op, "values", parameters[i].detach(), stored, `parameter ${i}`);
    });
  });
});

function title({ op, options, groups }: StepsCase): string {
  return [op, options, groups].map((part) => JSON.stringify(part)).join(" ");
}

interface ClippingCase extends Case {
  readonly limit: number;
  readonly normType?: Stored;
  readonly norm?: StoredTensor;
  readonly before: readonly StoredTensor[];
  readonly after: readonly StoredTensor[];
}

describe("clipping of gradients", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("clipping")));
  test.each(readFixtures<ClippingCase>("clipping"))("$op $limit $normType", (c) => {
    const parameters = c.before.map((stored) => {
      const parameter = new Parameter(restore(stored));
      parameter.grad = restore(stored);
      return parameter;
    });
    if (c.norm === undefined) {
      optim.clipGradValue(parameters, c.limit);
    } else {
      const normType = decode(c.normType!);
      const norm = optim.clipGradNorm(parameters, c.limit, { normType });
      comparison.check(c.op, "values", norm, c.norm, "norm");
    }
    c.after.forEach((stored, i) => {
      comparison.check(c.op, "gradients", parameters[i].grad!, stored, `gradient ${i}`);
    });
  });
});
