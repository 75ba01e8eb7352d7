import { GPT } from "@gradloom/gpt";
import type { ActivationName } from "@gradloom/layers";
import { crossEntropyLoss } from "@gradloom/loss";
import { AdamW, clipGradNorm } from "@gradloom/optim";
import type { Tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, readFixtures, restore, type StoredTensor } from "./fixture.ts";

type State = Readonly<Record<string, StoredTensor>>;

interface GPTCase extends Case {
  readonly options: { readonly numHeads: number; readonly activation?: ActivationName };
  readonly ids: StoredTensor;
  readonly targets: StoredTensor;
  readonly before: State;
  readonly logits: StoredTensor;
  /** Of the first step, before they are clipped. */
  readonly grads: State;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly after: State;
}

function restored(state: State): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(state).map(([key, stored]) => [key, restore(stored)]));
}

function store(x: Tensor): StoredTensor {
  return { dtype: x.dtype, shape: x.shape, data: Array.from(x.dataSync()) };
}

describe("GPT-2's layout", () => {
  // Gradients of 30 operations in a row;
  const comparison = new Comparison({ GPT: { relative: 1e-4, absolute: 3e-6 } });
  afterAll(() => console.log(comparison.table("GPT")));

  /** Compares values by their published names: whatever is laid out as weights are can be read as weights. */
  function compare(
    part: "values" | "gradients",
    got: Record<string, Tensor>,
    c: GPTCase,
    state: State,
  ) {
    const wanted = GPT.fromStateDict(restored(state), c.options).stateDict();
    expect(Object.keys(got)).toEqual(Object.keys(wanted));
    for (const [key, value] of Object.entries(wanted)) {
      comparison.check(c.op, part, got[key], store(value), key);
    }
  }

  test.each(readFixtures<GPTCase>("gpt"))("$note", (c) => {
    const model = GPT.fromStateDict(restored(c.before), c.options);
    const ids = restore(c.ids);
    const targets = restore(c.targets).reshape([-1]);
    comparison.check(c.op, "values", model.forward(ids).detach(), c.logits, "logits");

    const parameters = model.namedParameters();
    const decayed = parameters.filter(([, { ndim }]) => ndim >= 2).map(([, p]) => p);
    const others = parameters.filter(([, { ndim }]) => ndim < 2).map(([, p]) => p);
    const optimizer = new AdamW(
      [
        { params: decayed, weightDecay: 0.1 },
        { params: others, weightDecay: 0 },
      ],
      { lr: 0.01, betas: [0.9, 0.95], eps: 1e-4 },
    );
    const losses: number[] = [];
    const norms: number[] = [];
    for (const step of c.losses.keys()) {
      optimizer.zeroGrad();
      const logits = model.forward(ids);
      const loss = crossEntropyLoss(logits.reshape([-1, model.vocabSize]), targets);
      loss.backward();
      if (step === 0) {
        const grads = parameters.map(([key, { grad }]) => [key, grad]);
        compare("gradients", Object.fromEntries(grads), c, c.grads);
      }
      norms.push(clipGradNorm(model.parameters(), 0.5).itemSync());
      optimizer.step();
      losses.push(loss.itemSync());
    }
    comparison.checkNumbers(c.op, "values", losses, c.losses, "float32", "losses");
    comparison.checkNumbers(c.op, "values", norms, c.norms, "float32", "norms");
    compare("values", model.stateDict(), c, c.after);
  });
});
