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
