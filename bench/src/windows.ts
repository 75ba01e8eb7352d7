import {
  avgPool2d,
  conv2d,
  embedding,
  fromTypedArray,
  grad,
  maxPool2d,
  noGrad,
  randn,
  realize,
  scaledDotProductAttention,
  type Tensor,
  zeros,
} from "@gradloom/tensor";
import type { Workload, Workloads } from "./serve.ts";

/** An input whose gradient is wanted, with a value that exists before the clock starts. */
function input(...shape: readonly number[]): Tensor {
  const x = randn(shape, { requiresGrad: true });
  realize(x);
  return x;
}

/** Results computed anew each time, into memory that exists. */
function repeated(compute: () => Tensor | readonly Tensor[]): Workload {
  const list = () => [compute()].flat();
  const results = list().map(({ shape }) => zeros(shape));
  return {
    run: () => {
      const values = list();
      noGrad(() => {
        for (const [i, result] of results.entries()) result.assign(values[i]);
      });
      realize(...results);
    },
  };
}

function convolution(
  part: "forward" | "input" | "weight" | "both",
  groups = 1,
  stride = 1,
  size = 56,
  taps = 3,
): Workload {
  const x = input(8, 64, size, size);
  const weight = input(64, 64 / groups, taps, taps);
  const call = () => conv2d(x, weight, { padding: (taps - 1) / 2, groups, stride });
  if (part === "forward") return repeated(() => noGrad(call));
  const gradOutputs = input(...call().shape).detach();
  if (part === "both") {
    return repeated(() => {
      const y = call();
      return [y, ...grad(y, [x, weight], { gradOutputs })];
    });
  }
  return repeated(() => grad(call(), part === "input" ? x : weight, { gradOutputs }));
}

function pool(call: typeof avgPool2d, gradient: boolean): Workload {
  const x = input(8, 64, 112, 112);
  const run = () => call(x, 3, { stride: 2, padding: 1 });
  if (!gradient) return repeated(() => noGrad(run));
  const gradOutputs = input(...run().shape).detach();
  return repeated(() => {
    const y = run();
    return [y, ...grad(y, [x], { gradOutputs })];
  });
}

/** Forward and backward, of eight heads of 64 features. */
function attention(length: number, isCausal: boolean): Workload {
  const [q, k, v] = [1, 2, 3].map(() => input(1, 8, length, 64));
  const gradOutputs = input(1, 8, length, 64).detach();
  return repeated(() => {
    const y = scaledDotProductAttention(q, k, v, { isCausal });
    return [y, ...grad(y, [q, k, v], { gradOutputs })];
  });
}

function lookUp(part: "forward" | "weight"): Workload {
  const weight = input(20_000, 256);
  const ids = fromTypedArray(
    Int32Array.from({ length: 32 * 256 }, (_, i) => (i * 7919) % 20_000),
    [32, 256],
  );
  const gradOutputs = input(32, 256, 256).detach();
  if (part === "forward") return repeated(() => noGrad(() => embedding(ids, weight)));
  return repeated(() => grad(embedding(ids, weight), weight, { gradOutputs }));
}

/** Convolutions, attention and embeddings. */
export const windows: Workloads = {
  "conv2d-forward": () => convolution("forward"),
  "conv2d-input": () => convolution("input"),
  "conv2d-weight": () => convolution("weight"),
  "conv2d-gradients": () => convolution("both"),
  "conv2d-strided": () => convolution("forward", 1, 2),
  "conv2d-strided-gradients": () => convolution("both", 1, 2),
  "conv2d-depthwise": () => convolution("forward", 64),
  "conv2d-depthwise-gradients": () => convolution("both", 64),
  "depthwise-28-5": () => convolution("forward", 64, 1, 28, 5),
  "depthwise-28-5-gradients": () => convolution("both", 64, 1, 28, 5),
  "depthwise-14-7": () => convolution("forward", 64, 1, 14, 7),
  "depthwise-14-7-gradients": () => convolution("both", 64, 1, 14, 7),
  "pool-max": () => pool(maxPool2d, false),
  "pool-max-gradients": () => pool(maxPool2d, true),
  "pool-mean-gradients": () => pool(avgPool2d, true),
  "attention-512": () => attention(512, false),
  "attention-1024": () => attention(1024, false),
  "attention-2048": () => attention(2048, false),
  "attention-4096": () => attention(4096, false),
  "attention-2048-causal": () => attention(2048, true),
  "embedding-forward": () => lookUp("forward"),
  "embedding-weight": () => lookUp("weight"),
};
