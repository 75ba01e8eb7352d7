import {
  fromTypedArray,
  grad,
  manualSeed,
  noGrad,
  randint,
  randn,
  realize,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { Transformer } from "@gradloom/transformer";
import type { Workload, Workloads } from "./serve.ts";

/** The paper's base model without its words: stacks of 6 + 6 layers, 512 features, 8 heads, 2,048 inside. */
function stacks(part: "forward" | "gradients"): Workload {
  const model = new Transformer({ srcVocabSize: 8, tgtVocabSize: 8, dropout: 0 });
  const [src, tgt] = [randn([4, 64, 512]), randn([4, 64, 512])];
  realize(src, tgt);
  const call = () => model.decoder.forward(tgt, model.encoder.forward(src));
  if (part === "forward") {
    const out = zeros(tgt.shape);
    return {
      run: () => {
        noGrad(() => out.assign(call()));
        realize(out);
      },
    };
  }
  const parameters = [...model.encoder.parameters(), ...model.decoder.parameters()];
  const results = parameters.map(({ shape }) => zeros(shape));
  return {
    run: () => {
      const gradients = grad(call().square().mean(), parameters);
      noGrad(() => {
        for (const [i, result] of results.entries()) result.assign(gradients[i]);
      });
      realize(...results);
    },
  };
}

/** 64 tokens for each of 4 sources of 64, none of which ends. */
function greedy(useCache: boolean): Workload {
  manualSeed(0);
  const words = 1000;
  const model = new Transformer({ srcVocabSize: words, tgtVocabSize: words });
  const never = new Float32Array(words);
  never[2] = -1e9;
  noGrad(() => model.projection.bias?.assign(fromTypedArray(never)));
  const src = randint(4, words, [4, 64]);
  realize(src);
  let sum = 0;
  return {
    run: async () => {
      const options = { bosId: 1, eosId: 2, maxLength: 64, useCache };
      const targets = await model.greedyDecode(src, options);
      sum = tensor(targets)
        .mul(tensor(targets[0].map((_, i) => i + 1)))
        .sum()
        .itemSync();
    },
    facts: () => ({ sumOfTokens: sum }),
  };
}

/** The transformer, and its decoding. */
export const translation: Workloads = {
  "transformer-forward": () => stacks("forward"),
  "transformer-gradients": () => stacks("gradients"),
  "greedy-cached": () => greedy(true),
  "greedy-again": () => greedy(false),
};
