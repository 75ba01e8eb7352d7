import { compile, manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { Adam, AdamW, type Optimizer, SGD } from "../src/index.ts";

const makers: Record<string, (params: Tensor[]) => Optimizer> = {
  SGD: (params) => new SGD(params, { lr: 0.1, momentum: 0.9, dampening: 0.2, weightDecay: 0.01 }),
  Adam: (params) => new Adam(params, { lr: 0.1, amsgrad: true }),
  AdamW: (params) => new AdamW(params, { lr: 0.1 }),
};

test.each(Object.entries(makers))(
  "%s takes the same steps compiled, also when lr changes",
  (_, make) => {
    const run = (isCompiled: boolean) => {
      manualSeed(1);
      const w = tensor([1, -2, 3], { requiresGrad: true });
      const optimizer = make([w]);
      const step = (x: Tensor) => {
        const loss = w.mul(x).square().sum();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const take = isCompiled ? compile(step) : step;
      const losses: number[] = [];
      for (let i = 0; i < 6; i++) {
        if (i === 3) optimizer.lr = 0.01;
        losses.push(take(randn([3])).itemSync());
      }
      return { losses, w: w.arraySync() };
    };
    expect(run(true)).toEqual(run(false));
  },
);
