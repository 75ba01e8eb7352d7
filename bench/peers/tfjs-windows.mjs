// Convolutions, attention and embeddings in TensorFlow.js: images are [batch, height, width, channels] there.
import * as tf from "@tensorflow/tfjs";
import { leftOut } from "./contestant.mjs";

const repeated = (fn) => ({
  run: () => {
    tf.dispose(tf.tidy(fn));
  },
});

/** The same for gradients, some of which the backend lacks. */
const differentiated = (fn) =>
  repeated(() => {
    try {
      return fn();
    } catch (error) {
      throw new Error(`no gradient: ${error.message}`);
    }
  });

function convolution(part, stride = 1) {
  const x = tf.randomNormal([8, 56, 56, 64]);
  const w = tf.randomNormal([3, 3, 64, 64]);
  const conv = (x, w) => tf.conv2d(x, w, stride, 1);
  if (part === "forward") return repeated(() => conv(x, w));
  const dy = tf.randomNormal(conv(x, w).shape);
  if (part === "both") return differentiated(() => tf.grads(conv)([x, w], dy));
  if (part === "input") return differentiated(() => tf.grad((x) => conv(x, w))(x, dy));
  return differentiated(() => tf.grad((w) => conv(x, w))(w, dy));
}

function depthwise() {
  const x = tf.randomNormal([8, 56, 56, 64]);
  const w = tf.randomNormal([3, 3, 64, 1]);
  return repeated(() => tf.depthwiseConv2d(x, w, 1, 1));
}

function attention(length) {
  const [q, k, v, dy] = [1, 2, 3, 4].map(() => tf.randomNormal([8, length, 64]));
  const attend = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q, k, false, true).div(8)), v);
  return differentiated(() => tf.grads(attend)([q, k, v], dy));
}

function lookUp(part) {
  const weight = tf.randomNormal([20_000, 256]);
  const ids = tf.tensor(
    Int32Array.from({ length: 32 * 256 }, (_, i) => (i * 7919) % 20_000),
    [32, 256],
    "int32",
  );
  if (part === "forward") return repeated(() => tf.gather(weight, ids));
  const dy = tf.randomNormal([32, 256, 256]);
  return differentiated(() => tf.grad((weight) => tf.gather(weight, ids))(weight, dy));
}

/** Two convolutions and a classifier, as `CNN` is in Gradloom. */
function convnet() {
  const { conv2d, batchNormalization, reLU, maxPooling2d, flatten, dense } = tf.layers;
  const window = { kernelSize: 3, padding: "same" };
  const block = (convolution) => [
    convolution,
    batchNormalization(),
    reLU(),
    maxPooling2d({ poolSize: 2 }),
  ];
  const model = tf.sequential({
    layers: [
      ...block(conv2d({ ...window, inputShape: [28, 28, 1], filters: 16 })),
      ...block(conv2d({ ...window, filters: 32 })),
      flatten(),
      dense({ units: 64, activation: "relu" }),
      dense({ units: 10 }),
    ],
  });
  const x = tf.randomNormal([64, 28, 28, 1]);
  const labels = Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 10);
  const y = tf.oneHot(tf.tensor1d(labels, "int32"), 10).toFloat();
  const loss = () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }));
  const adam = tf.train.adam(1e-3);
  return differentiated(() => adam.minimize(loss, true));
}

export const windows = {
  "conv2d-forward": () => convolution("forward"),
  "conv2d-input": () => convolution("input"),
  "conv2d-weight": () => convolution("weight"),
  "conv2d-gradients": () => convolution("both"),
  "conv2d-strided": () => convolution("forward", 2),
  "conv2d-depthwise": depthwise,
  convnet,
  "attention-512": () => attention(512),
  "attention-2048": () => leftOut("a minute"),
  "embedding-forward": () => lookUp("forward"),
  "embedding-weight": () => lookUp("weight"),
};
