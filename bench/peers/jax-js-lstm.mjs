// An LSTM in jax-js, which has no loops over time: the product of all inputs and a step are a `jit` each.
import { blockUntilReady, grad, jit, nn, numpy as np, tree } from "@jax-js/jax";
import { randn, uniform } from "./jax-js-tools.mjs";

const step = jit((w, h, c, fromInput) => {
  const [i, f, g, o] = np.split(np.matmul(h, w).add(fromInput), 4, -1);
  const next = nn
    .sigmoid(f)
    .mul(c)
    .add(nn.sigmoid(i).mul(np.tanh(g)));
  return [nn.sigmoid(o).mul(np.tanh(next.ref)), next];
});
const project = jit((x, w, b) => np.matmul(x, w).add(b));

/** `x [64, batch, features]`; outputs likewise. */
function outputs({ wx, wh, b }, x) {
  const fromInputs = np.unstack(project(x, wx, b), 0);
  let [h, c] = [np.zeros([32, 256]), np.zeros([32, 256])];
  const all = [];
  for (let t = 0; t < 64; t++) {
    [h, c] = step(t < 63 ? wh.ref : wh, h, c, fromInputs[t]);
    all.push(h.ref);
  }
  tree.dispose([h, c]);
  return np.stack(all);
}

const weights = () => ({
  wx: uniform([128, 1024], 1 / 16),
  wh: uniform([256, 1024], 1 / 16),
  b: uniform([1024], 1 / 16),
});

function forward() {
  const [params, x] = [weights(), randn(64, 32, 128)];
  return {
    run: async () => (await blockUntilReady(outputs(tree.ref(params), x.ref))).dispose(),
  };
}

function gradients() {
  const [params, x, dy] = [weights(), randn(64, 32, 128), randn(64, 32, 256)];
  const ofSum = grad((params, x, dy) => np.sum(outputs(params, x).mul(dy)));
  return {
    run: async () => tree.dispose(await blockUntilReady(ofSum(tree.ref(params), x.ref, dy.ref))),
  };
}

export const lstm = {
  "lstm-forward": forward,
  "lstm-gradients": gradients,
};
