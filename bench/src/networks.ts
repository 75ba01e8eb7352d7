import { CNN } from "@gradloom/cnn";
import type { Layer } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { MoE } from "@gradloom/moe";
import { Adam } from "@gradloom/optim";
import { LSTM, RecurrentLM } from "@gradloom/rnn-lstm";
import { fromTypedArray, grad, noGrad, randn, realize, type Tensor, zeros } from "@gradloom/tensor";
import { UNet } from "@gradloom/unet";
import type { Workload, Workloads } from "./serve.ts";
import { translation } from "./translation.ts";

/** A value that exists before the clock starts. */
function ready(x: Tensor): Tensor {
  realize(x);
  return x;
}

/** A training step of a classifier, of pictures or of their pixels. */
function step(model: Layer, x: Tensor, classes: number, labelShape: readonly number[]): Workload {
  const size = labelShape.reduce((a, b) => a * b);
  const y = fromTypedArray(
    Int32Array.from({ length: size }, (_, i) => (i * 7) % classes),
    labelShape,
  );
  realize(y);
  const criterion = new CrossEntropyLoss();
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  return {
    run: () => {
      optimizer.zeroGrad();
      criterion.forward(model.forward(x), y).backward();
      optimizer.step();
    },
  };
}

/** The result of a forward pass, into memory that exists. */
function forward(call: () => Tensor): Workload {
  const out = zeros(noGrad(call).shape);
  return {
    run: () => {
      noGrad(() => out.assign(call()));
      realize(out);
    },
  };
}

function convnet(): Workload {
  const sizes = { channels: [16, 32], hidden: 64, dropout: 0, poolSize: 7 };
  const model = new CNN({ inChannels: 1, numClasses: 10, ...sizes });
  return step(model, ready(randn([64, 1, 28, 28])), 10, [64]);
}

function unet(part: "forward" | "step"): Workload {
  const model = new UNet({ inChannels: 3, numClasses: 2 });
  const x = ready(randn([1, 3, 128, 128]));
  if (part === "step") return step(model, x, 2, [1, 128, 128]);
  model.eval();
  return forward(() => model.forward(x));
}

function lstm(part: "forward" | "gradients", time = 64): Workload {
  const model = new LSTM({ inputSize: 128, hiddenSize: 256 });
  const x = ready(randn([32, time, 128]));
  if (part === "forward") return forward(() => model.forward(x)[0]);
  const gradOutputs = ready(randn([32, 64, 256]));
  const parameters = model.parameters();
  const results = parameters.map(({ shape }) => zeros(shape));
  return {
    run: () => {
      const gradients = grad(model.forward(x)[0], parameters, { gradOutputs });
      noGrad(() => {
        for (const [i, result] of results.entries()) result.assign(gradients[i]);
      });
      realize(...results);
    },
  };
}

/** 100 characters, each drawn from what the one before has led to. */
function generation(): Workload {
  const model = new RecurrentLM({ vocabSize: 96, embeddingDim: 64, hiddenSize: 512 });
  return { run: () => model.generate([1], { maxNewTokens: 100, seed: 0 }) };
}

/** A mixture of experts: the result alone, or the gradients of its mean square as well. */
function moe(part: "forward" | "gradients", topK = 2): Workload {
  const sizes = { inputDim: 512, hiddenDim: 2048, numExperts: 8 };
  const activation = (x: Tensor) => x.gelu({ approximate: "tanh" });
  const model = new MoE({ ...sizes, topK, activation });
  const x = ready(randn([1024, 512], { requiresGrad: part === "gradients" }));
  if (part === "forward") return forward(() => model.forward(x));
  const leaves = [...model.parameters(), x];
  return {
    run: () => {
      for (const leaf of leaves) leaf.grad = null;
      model.forward(x).square().mean().backward();
      realize(...leaves.map(({ grad }) => grad).filter((grad) => grad !== null));
    },
  };
}

/** Whole networks. */
export const networks: Workloads = {
  "moe-forward": () => moe("forward"),
  "moe-gradients": () => moe("gradients"),
  "moe-forward-all": () => moe("forward", 8),
  "moe-gradients-all": () => moe("gradients", 8),
  convnet,
  "unet-forward": () => unet("forward"),
  "unet-step": () => unet("step"),
  "lstm-forward": () => lstm("forward"),
  "lstm-gradients": () => lstm("gradients"),
  "lstm-1000": () => lstm("forward", 1000),
  "lstm-generation": generation,
  ...translation,
};
