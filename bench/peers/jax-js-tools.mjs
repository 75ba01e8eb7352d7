// What the workloads of jax-js are made of: a training step and a repeated function, each in one `jit`, as its
// documentation recommends. A value is consumed by use; `.ref` keeps it.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  numpy as np,
  random,
  tree,
  valueAndGrad,
} from "@jax-js/jax";

await init("wasm");
defaultDevice("wasm");

let seed = 0;
export const randn = (...shape) => random.normal(random.key(seed++), shape);
export const uniform = (shape, bound) =>
  random.uniform(random.key(seed++), shape, { minval: -bound, maxval: bound });

/** A training step with Adam as one compiled function of the parameters, its two moments and the step. */
export function trainer(loss, params, x, y, lr) {
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
export const repeated = (fn, ...inputs) => {
  const compiled = jit(fn);
  return {
    run: async () => tree.dispose(await blockUntilReady(compiled(...inputs.map((x) => x.ref)))),
  };
};
