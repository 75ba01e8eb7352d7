// Convolutions, attention and embeddings in TensorFlow.js: images are [batch, height, width, channels] there.
import * as tf from "@tensorflow/tfjs";

const repeated = (fn) => ({
  run: () => {
    tf.dispose(tf.tidy(fn));
  },
});

function convolution(part, stride = 1) {
  const x = tf.randomNormal([8, 56, 56, 64]);
  const w = tf.randomNormal([3, 3, 64, 64]);
  const conv = (x, w) => tf.conv2d(x, w, stride, 1);
  if (part === "forward") return repeated(() => conv(x, w));
  const dy = tf.randomNormal(conv(x, w).shape);
  if (part === "input") return repeated(() => tf.grad((x) => conv(x, w))(x, dy));
  return repeated(() => tf.grad((w) => conv(x, w))(w, dy));
}

function depthwise() {
  const x = tf.randomNormal([8, 56, 56, 64]);
  const w = tf.randomNormal([3, 3, 64, 1]);
  return repeated(() => tf.depthwiseConv2d(x, w, 1, 1));
}

function attention(length) {
  const [q, k, v, dy] = [1, 2, 3, 4].map(() => tf.randomNormal([8, length, 64]));
  const attend = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q, k, false, true).div(8)), v);
  return repeated(() => tf.grads(attend)([q, k, v], dy));
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
  return repeated(() => tf.grad((weight) => tf.gather(weight, ids))(weight, dy));
}

export const windows = {
  "conv2d-forward": () => convolution("forward"),
  "conv2d-input": () => convolution("input"),
  "conv2d-weight": () => convolution("weight"),
  "conv2d-strided": () => convolution("forward", 2),
  "conv2d-depthwise": depthwise,
  "attention-512": () => attention(512),
  "attention-2048": () => attention(2048),
  "embedding-forward": () => lookUp("forward"),
  "embedding-weight": () => lookUp("weight"),
};
