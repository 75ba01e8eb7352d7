// Convolutions, attention and embeddings in jax-js.
import { blockUntilReady, grad, lax, nn, numpy as np } from "@jax-js/jax";
import { leftOut } from "./contestant.mjs";
import { randn, repeated, trainer } from "./jax-js-tools.mjs";

/** Gradients of the inputs `argnums`, from that of the result: the last input. */
const gradients = (fn, argnums, ...inputs) =>
  repeated(
    grad((...all) => np.sum(fn(...all.slice(0, -1)).mul(all.at(-1))), { argnums }),
    ...inputs,
  );

const conv = (x, w) => lax.conv(x, w, [1, 1], "SAME");

function convolution(stride, groups) {
  const options = { featureGroupCount: groups };
  const padding = [
    [1, 1],
    [1, 1],
  ];
  return repeated(
    (x, w) => lax.convGeneralDilated(x, w, [stride, stride], padding, options),
    randn(8, 64, 56, 56),
    randn(64, 64 / groups, 3, 3),
  );
}

/** `nn.dotProductAttention` needs iterators' `map`, which Node 20 does not have: the same in products. */
function attention(length, isCausal = false) {
  const rows = np.arange(length).reshape([length, 1]);
  const future = np.arange(length).greater(rows).astype(np.float32).mul(-1e9);
  const attend = (q, k, v, mask) => {
    const scores = np.matmul(q, k.transpose([0, 2, 1])).mul(1 / 8);
    return np.matmul(nn.softmax(isCausal ? scores.add(mask) : scores, -1), v);
  };
  const inputs = [1, 2, 3].map(() => randn(8, length, 64));
  const fn = isCausal ? attend : (q, k, v) => attend(q, k, v);
  const mask = isCausal ? [future] : [];
  return gradients(fn, [0, 1, 2], ...inputs, ...mask, randn(8, length, 64));
}

const ids = () => np.array(Int32Array.from({ length: 32 * 256 }, (_, i) => (i * 7919) % 20_000));
const lookUp = (weight, ids) => np.take(weight, ids, 0);

/** Batch norm in training, of images. */
function batchNorm(x, weight, bias) {
  const axes = [0, 2, 3];
  const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), axes, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(weight)
    .add(bias);
}

/** Convolution, batch norm, relu, and the largest of two by two. */
function block(x, { w, b, weight, bias }) {
  const y = nn.relu(batchNorm(conv(x, w).add(b), weight, bias));
  const [n, c, height, width] = y.shape;
  return np.max(y.reshape([n, c, height / 2, 2, width / 2, 2]), [3, 5]);
}

function network({ first, second, hidden, last }, x) {
  const features = block(block(x, first), second).reshape([64, 32 * 7 * 7]);
  return np.matmul(nn.relu(np.matmul(features, hidden.w).add(hidden.b)), last.w).add(last.b);
}

function convnet() {
  const convolutional = (i, o) => ({
    w: randn(o, i, 3, 3).mul(1 / Math.sqrt(9 * i)),
    b: np.zeros([1, o, 1, 1]),
    weight: np.ones([1, o, 1, 1]),
    bias: np.zeros([1, o, 1, 1]),
  });
  const linear = (i, o) => ({ w: randn(i, o).mul(1 / Math.sqrt(i)), b: np.zeros([o]) });
  const params = {
    first: convolutional(1, 16),
    second: convolutional(16, 32),
    hidden: linear(32 * 7 * 7, 64),
    last: linear(64, 10),
  };
  const labels = np.array(Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 10));
  const crossEntropy = (params, x, y) =>
    np.sum(nn.logSoftmax(network(params, x), -1).mul(y)).mul(-1 / 64);
  const y = nn.oneHot(labels, 10);
  const step = trainer(crossEntropy, params, randn(64, 1, 28, 28), y, 1e-3);
  return { run: async () => (await blockUntilReady(step())).dispose() };
}

export const windows = {
  "conv2d-forward": () => repeated(conv, randn(8, 64, 56, 56), randn(64, 64, 3, 3)),
  "conv2d-input": () => leftOut("20 seconds"),
  "conv2d-weight": () => leftOut("20 seconds"),
  "conv2d-gradients": () =>
    gradients(conv, [0, 1], randn(8, 64, 56, 56), randn(64, 64, 3, 3), randn(8, 64, 56, 56)),
  "conv2d-strided": () => convolution(2, 1),
  "conv2d-depthwise": () => convolution(1, 64),
  convnet,
  "attention-512": () => attention(512),
  "attention-2048": () => attention(2048),
  "attention-2048-causal": () => attention(2048, true),
  "embedding-forward": () => repeated(lookUp, randn(20_000, 256), ids()),
  "embedding-weight": () => gradients(lookUp, 0, randn(20_000, 256), ids(), randn(32 * 256, 256)),
};
