import { GPT, type GPTOptions, presets } from "@gradloom/gpt";
import { crossEntropyLoss } from "@gradloom/loss";
import { AdamW, clipGradNorm } from "@gradloom/optim";
import { fromTypedArray, noGrad, ones, realize, type Tensor, zeros } from "@gradloom/tensor";
import type { Workload, Workloads } from "./serve.ts";

/** Ids that differ, the same for each engine. */
function ids(batch: number, time: number, vocabSize: number): Tensor {
  const values = Int32Array.from({ length: batch * time }, (_, i) => (i * 7919) % vocabSize);
  const made = fromTypedArray(values, [batch, time]);
  realize(made);
  return made;
}

/** GPT-2 with random weights, not in training. */
function gpt2(): GPT {
  const model = new GPT(presets.gpt2).eval();
  realize(...model.parameters());
  return model;
}

/** The logits behind a prompt of 256 tokens. */
function prompt(): Workload {
  const model = gpt2();
  const x = ids(1, 256, model.vocabSize);
  const out = zeros([1, model.vocabSize]);
  return {
    run: () => {
      noGrad(() => out.assign(model.project(model.features(x).select(1, -1))));
      realize(out);
    },
  };
}

/** One token of 32 behind a prompt of 256, the likeliest, with a cache. */
function decode(): Workload {
  const model = gpt2();
  const cache = model.createCache();
  model.forward(ids(1, 256, model.vocabSize), { cache });
  let token = 0;
  return {
    run: () => {
      if (cache.lengths[0] === 288) cache.truncate(256);
      const x = fromTypedArray(Int32Array.of(token), [1, 1]);
      token = model.forward(x, { cache }).argmax(-1).dataSync()[0];
    },
  };
}

/** As many floats as GPT-2 has weights, read once: what a token takes at least. */
function read(): Workload {
  const weights = ones([124_439_808]);
  realize(weights);
  return { run: () => weights.sum().itemSync() };
}

/** A training step: AdamW, gradients clipped. */
function step(options: GPTOptions, batch: number, time: number): Workload {
  const model = new GPT(options);
  const x = ids(batch, time, model.vocabSize);
  const y = ids(1, batch * time, model.vocabSize).reshape([-1]);
  const settings = { lr: 1e-3, betas: [0.9, 0.99], weightDecay: 0.1 } as const;
  const optimizer = new AdamW(model.parameters(), settings);
  return {
    run: () => {
      optimizer.zeroGrad();
      crossEntropyLoss(model.forward(x).reshape([-1, model.vocabSize]), y).backward();
      clipGradNorm(model.parameters(), 1);
      optimizer.step();
    },
  };
}

const small = {
  vocabSize: 65,
  maxSeqLen: 64,
  dModel: 128,
  numHeads: 4,
  numLayers: 4,
  bias: false,
} as const;

/** Language models. */
export const language: Workloads = {
  "gpt2-prompt": prompt,
  "gpt2-decode": decode,
  "gpt2-read": read,
  "gpt2-step": () => step(presets.gpt2, 1, 256),
  "nanogpt-step": () => step(small, 12, 64),
};
