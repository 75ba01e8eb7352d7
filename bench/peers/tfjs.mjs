// TensorFlow.js on its WebAssembly backend, or with `--plain` on the one in JavaScript. In Node it runs on one thread.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { serveOrFirstLoss } from "./contestant.mjs";
import { lstm } from "./tfjs-lstm.mjs";
import { windows } from "./tfjs-windows.mjs";

await tf.setBackend(process.argv.includes("--plain") ? "cpu" : "wasm");
await tf.ready();

/** Weights and biases of a multi-layer perceptron. */
const mlp = (...sizes) =>
  sizes.slice(1).map((out, i) => {
    const bound = 1 / Math.sqrt(sizes[i]);
    const variable = (shape) => tf.variable(tf.randomUniform(shape, -bound, bound));
    return { w: variable([sizes[i], out]), b: variable([out]) };
  });

function forward(params, x) {
  params.forEach(({ w, b }, i) => {
    x = x.matMul(w).add(b);
    if (i < params.length - 1) x = x.relu();
  });
  return x;
}

const variables = (params) => params.flatMap(({ w, b }) => [w, b]);
const repeated = (fn) => ({ run: () => tf.tidy(fn).dispose() });

const curve = () => {
  const x = tf.linspace(-1, 1, 256).reshape([256, 1]);
  return [x, x.square().mul(3).add(5)];
};

/** A step of Adam; the loss is a tensor, or null unless asked for. */
function curveTrainer() {
  const [x, y] = curve();
  const params = mlp(1, 64, 64, 1);
  const adam = tf.train.adam(1e-2);
  const loss = () => forward(params, x).sub(y).square().mean();
  return { params, step: (wanted) => adam.minimize(loss, wanted, variables(params)) };
}

function dnn() {
  let loss = Number.NaN;
  return {
    run: () => {
      const { params, step } = curveTrainer();
      for (let i = 0; i < 999; i++) step(false);
      const last = step(true);
      loss = last.dataSync()[0];
      tf.dispose([last, ...variables(params)]);
    },
    facts: () => ({ loss }),
  };
}

function mlpStep() {
  const x = tf.randomNormal([128, 784]);
  const y = tf.oneHot(
    tf.tensor1d(
      Int32Array.from({ length: 128 }, (_, i) => (i * 7) % 10),
      "int32",
    ),
    10,
  );
  const labels = y.toFloat();
  const params = mlp(784, 512, 512, 10);
  const adam = tf.train.adam(1e-3);
  const loss = () => tf.losses.softmaxCrossEntropy(labels, forward(params, x));
  return { run: () => adam.minimize(loss, false, variables(params)) };
}

function layerNorm() {
  const [x, g, b] = [tf.randomNormal([4096, 768]), tf.randomNormal([768]), tf.randomNormal([768])];
  return repeated(() => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(g).add(b);
  });
}

function gelu(activation) {
  const x = tf.randomNormal([4 << 20]);
  return repeated(() => activation(x.mul(1.5).add(0.5)).add(x));
}

const workloads = {
  ...windows,
  ...lstm,
  dnn,
  "dnn-compiled": dnn,
  "mlp-step": mlpStep,
  softmax: () => {
    const x = tf.randomNormal([1024, 1024]);
    return repeated(() => x.softmax(-1));
  },
  "layer-norm": layerNorm,
  "gelu-erf": () => gelu((x) => x.mul(Math.SQRT1_2).erf().add(1).mul(x).mul(0.5)),
  "gelu-tanh": () =>
    gelu((x) =>
      x
        .add(x.mul(x).mul(x).mul(0.044715))
        .mul(Math.sqrt(2 / Math.PI))
        .tanh()
        .add(1)
        .mul(x)
        .mul(0.5),
    ),
};
for (const n of [256, 512, 1024]) {
  for (const layout of ["nn", "nt", "tn", "tt"]) {
    workloads[`matmul-${n}-${layout}`] = () => {
      const [a, b] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])];
      return repeated(() => tf.matMul(a, b, layout[0] === "t", layout[1] === "t"));
    };
  }
}

await serveOrFirstLoss(workloads, async () => (await curveTrainer().step(true).data())[0]);
