// jax-js on its WebAssembly backend, each workload in one `jit`, as its documentation recommends.
// In Node it runs on one thread. A value is consumed by use; `.ref` keeps it.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  random,
  scipySpecial,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { serveOrFirstLoss } from "./contestant.mjs";

await init("wasm");
defaultDevice("wasm");

let seed = 0;
const randn = (...shape) => random.normal(random.key(seed++), shape);
const uniform = (shape, bound) =>
  random.uniform(random.key(seed++), shape, { minval: -bound, maxval: bound });

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

/** A training step with Adam as one compiled function of the parameters, its two moments and the step. */
function trainer(loss, params, x, y, lr) {
  const zeros = () => tree.map((p) => np.zeros(p.shape), params);
  let state = { p: params, m: zeros(), v: zeros() };
  let count = 0;
  const step = jit(({ p, m, v }, rate1, rate2, x, y) => {
    const [value, g] = valueAndGrad(loss)(tree.ref(p), x, y);
    const m1 = tree.map((m, g) => m.mul(0.9).add(g.ref.mul(0.1)), m, tree.ref(g));
    const v1 = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), v, g);
    const p1 = tree.map(
      (p, m, v) => p.sub(m.mul(rate1.ref).div(np.sqrt(v.mul(rate2.ref)).add(1e-8))),
      p,
      tree.ref(m1),
      tree.ref(v1),
    );
    rate1.dispose();
    rate2.dispose();
    return [{ p: p1, m: m1, v: v1 }, value];
  });
  return () => {
    count++;
    const rate1 = np.array(lr / (1 - 0.9 ** count));
    const rate2 = np.array(1 / (1 - 0.999 ** count));
    let value;
    [state, value] = step(state, rate1, rate2, x.ref, y.ref);
    return value;
  };
}

/** Runs a compiled function of arrays that stay. */
const repeated = (fn, ...inputs) => {
  const compiled = jit(fn);
  return {
    run: async () => (await blockUntilReady(compiled(...inputs.map((x) => x.ref)))).dispose(),
  };
};

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
