// Gradloom's side of a measurement: node gradloom.js --threads 2
import { MLP } from "@gradloom/layers";
import { CrossEntropyLoss, MSELoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import {
  compile,
  fromTypedArray,
  linspace,
  manualSeed,
  memoryStats,
  noGrad,
  randn,
  realize,
  setBackend,
  setNumThreads,
  type Tensor,
  zeros,
} from "@gradloom/tensor";
import { language } from "./language.ts";
import { networks } from "./networks.ts";
import { optimizers } from "./optimizers.ts";
import { serve, type Workload, type Workloads } from "./serve.ts";
import { windows } from "./windows.ts";

const threads = Number(process.argv[process.argv.indexOf("--threads") + 1]);
if (process.argv.includes("--wide-simd")) setBackend("wasm", { wideSimd: true });
setNumThreads(threads);
manualSeed(0);

/** A value that exists before the clock starts. */
function ready(x: Tensor): Tensor {
  realize(x);
  return x;
}

/**
 * An expression of values that exist, computed anew each time, into memory that exists: what `out=` is in PyTorch.
 * Fresh memory costs a page fault every 4 KB, which on some machines is far more than the work.
 */
function repeated(expression: () => Tensor): Workload {
  const out = noGrad(expression);
  realize(out);
  const result = zeros(out.shape);
  return {
    run: () => {
      noGrad(() => result.assign(expression()));
      realize(result);
    },
  };
}

/** A training step, and what becomes of it before it is repeated: nothing, or `compile`. */
function dnn(prepare: (step: () => Tensor) => () => Tensor): Workload {
  const x = ready(linspace(-1, 1, 256).reshape([256, 1]));
  const y = ready(x.square().mul(3).add(5));
  const criterion = new MSELoss();
  const facts = { loss: Number.NaN, kernelsOfLaterSteps: Number.NaN };
  return {
    run: () => {
      const model = new MLP(1, [64, 64], 1);
      const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
      const step = prepare(() => {
        optimizer.zeroGrad();
        const loss = criterion.forward(model.forward(x), y);
        loss.backward();
        optimizer.step();
        return loss;
      });
      let loss: Tensor | undefined;
      let compiled = 0;
      for (let i = 0; i < 1000; i++) {
        loss = step();
        if (i === 0) compiled = memoryStats().compiledKernels;
      }
      facts.loss = loss!.itemSync();
      facts.kernelsOfLaterSteps = memoryStats().compiledKernels - compiled;
    },
    facts: () => facts,
  };
}

/** @param rows - Of the batch of each step, at most `most`. */
function mlpStep(rows: () => number, most: number): Workload {
  const x = ready(randn([most, 784]));
  const labels = Int32Array.from({ length: most }, (_, i) => (i * 7) % 10);
  const y = ready(fromTypedArray(labels, [most]));
  const model = new MLP(784, [512, 512], 10);
  const criterion = new CrossEntropyLoss();
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  return {
    run: () => {
      const count = rows();
      optimizer.zeroGrad();
      criterion.forward(model.forward(x.narrow(0, 0, count)), y.narrow(0, 0, count)).backward();
      optimizer.step();
    },
  };
}

/** A recurrent network as a loop in the program, and its gradients. */
function unrolled(steps: () => number, most: number): Workload {
  const x = ready(randn([most, 16, 32]));
  const [u, w] = [32, 64].map((size) => ready(randn([size, 64]).mul(0.1)).requiresGrad_());
  return {
    run: () => {
      const count = steps();
      let h = zeros([16, 64]);
      for (let t = 0; t < count; t++) h = x.select(0, t).matmul(u).add(h.matmul(w)).tanh();
      u.grad = null;
      w.grad = null;
      h.square().mean().backward();
      realize(u.grad!, w.grad!);
    },
  };
}

const sizes = 307;

/** Sizes from one on, all over the range at any time, none of which comes again while its plan is in the cache. */
function varying(first: number): () => number {
  let i = 0;
  return () => first + ((97 * i++) % sizes);
}

function layerNorm(): Workload {
  const x = ready(randn([4096, 768]));
  const weight = ready(randn([768]));
  const bias = ready(randn([768]));
  return repeated(() => x.layerNorm([768], { weight, bias }));
}

function gelu(approximate: "none" | "tanh"): Workload {
  const x = ready(randn([4 << 20]));
  return repeated(() => x.mul(1.5).add(0.5).gelu({ approximate }).add(x));
}

function matmul(n: number, layout: string): Workload {
  const a = ready(randn([n, n]));
  const b = ready(randn([n, n]));
  return repeated(() => (layout[0] === "t" ? a.t() : a).matmul(layout[1] === "t" ? b.t() : b));
}

const workloads: Record<string, () => Workload | Promise<Workload>> = {
  ...networks,
  ...language,
  ...optimizers,
  ...windows,
  dnn: () => dnn((step) => step),
  "dnn-compiled": () => dnn(compile),
  "mlp-step": () => mlpStep(() => 128, 128),
  "shapes-batch": () => mlpStep(varying(64), 64 + sizes),
  "shapes-unrolled": () => unrolled(varying(50), 50 + sizes),
  softmax: () => {
    const x = ready(randn([1024, 1024]));
    return repeated(() => x.softmax(-1));
  },
  "layer-norm": layerNorm,
  "gelu-erf": () => gelu("none"),
  "gelu-tanh": () => gelu("tanh"),
};
for (const n of [256, 512, 1024]) {
  for (const layout of ["nn", "nt", "tn", "tt"]) {
    workloads[`matmul-${n}-${layout}`] = () => matmul(n, layout);
  }
}

await serve(workloads satisfies Workloads);
