// jax-js on its WebAssembly backend. In Node it runs on one thread.
import { blockUntilReady, nn, numpy as np, scipySpecial } from "@jax-js/jax";
import { serveOrFirstLoss } from "./contestant.mjs";
import { lstm } from "./jax-js-lstm.mjs";
import { randn, repeated, trainer, uniform } from "./jax-js-tools.mjs";
import { windows } from "./jax-js-windows.mjs";

/** Weights and biases of a multi-layer perceptron. */
const mlp = (...sizes) =>
  sizes.slice(1).map((out, i) => ({
    w: uniform([sizes[i], out], 1 / Math.sqrt(sizes[i])),
    b: uniform([out], 1 / Math.sqrt(sizes[i])),
  }));

function forward(params, x) {
  params.forEach(({ w, b }, i) => {
    x = np.matmul(x, w).add(b);
    if (i < params.length - 1) x = nn.relu(x);
  });
  return x;
}

const meanSquare = (params, x, y) => np.mean(np.square(forward(params, x).sub(y)));
/** `y` is one-hot. */
const crossEntropy = (params, x, y) =>
  np.sum(nn.logSoftmax(forward(params, x), -1).mul(y)).mul(-1 / 128);

const curve = () => {
  const x = np.linspace(-1, 1, 256).reshape([256, 1]);
  return [x, np.square(x.ref).mul(3).add(5)];
};

function dnn() {
  const [x, y] = curve();
  let loss = Number.NaN;
  return {
    run: async () => {
      const step = trainer(meanSquare, mlp(1, 64, 64, 1), x.ref, y.ref, 1e-2);
      let value;
      for (let i = 0; i < 1000; i++) {
        value?.dispose();
        // Steps that nobody waits for pile up: 320 of them take longer than 1,000 this way.
        value = await blockUntilReady(step());
      }
      loss = (await value.data())[0];
    },
    facts: () => ({ loss }),
  };
}

function mlpStep() {
  const labels = np.array(Int32Array.from({ length: 128 }, (_, i) => (i * 7) % 10));
  const step = trainer(
    crossEntropy,
    mlp(784, 512, 512, 10),
    randn(128, 784),
    nn.oneHot(labels, 10),
    1e-3,
  );
  return { run: async () => (await blockUntilReady(step())).dispose() };
}

const workloads = {
  ...windows,
  ...lstm,
  dnn,
  "dnn-compiled": dnn,
  "mlp-step": mlpStep,
  softmax: () => repeated((x) => nn.softmax(x, -1), randn(1024, 1024)),
  "layer-norm": () =>
    repeated(
      (x, g, b) => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(g).add(b),
      randn(4096, 768),
      randn(768),
      randn(768),
    ),
  "gelu-erf": () =>
    repeated(
      (x) => {
        const z = x.ref.mul(1.5).add(0.5);
        return z.ref
          .mul(0.5)
          .mul(scipySpecial.erf(z.mul(Math.SQRT1_2)).add(1))
          .add(x);
      },
      randn(4 << 20),
    ),
  "gelu-tanh": () => repeated((x) => nn.gelu(x.ref.mul(1.5).add(0.5)).add(x), randn(4 << 20)),
};
for (const n of [256, 512, 1024]) {
  for (const layout of ["nn", "nt", "tn", "tt"]) {
    const side = (x, transposed) => (transposed === "t" ? x.transpose() : x);
    workloads[`matmul-${n}-${layout}`] = () =>
      repeated(
        (a, b) => np.matmul(side(a, layout[0]), side(b, layout[1])),
        randn(n, n),
        randn(n, n),
      );
  }
}

await serveOrFirstLoss(workloads, async () => {
  const [x, y] = curve();
  return (await trainer(meanSquare, mlp(1, 64, 64, 1), x, y, 1e-2)().data())[0];
});
