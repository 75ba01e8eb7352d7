import { tensor } from "../src/create.ts";
import { Generator } from "../src/generator.ts";
import * as ops from "../src/ops/index.ts";
import type { Tensor } from "../src/tensor.ts";
import { bool, real, type Sample, whole } from "./samples.ts";

/** Every public operation. A new one does not compile without its row below. */
export type OpName = Exclude<keyof typeof ops, "allclose">;

/** One way to call an operation. All tests of operations are generated from these. */
export interface OpCase {
  readonly inputs: readonly Sample[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Up to which order gradients are checked. 0: there are none. */
  readonly order: 0 | 1 | 2;
}

type Call = OpCase["call"];

/** A call with these inputs, differentiable twice. */
function on(call: Call, ...inputs: Sample[]): OpCase {
  return { inputs, call, order: 2 };
}

/** A call whose results are not differentiable. */
function flat(call: Call, ...inputs: Sample[]): OpCase {
  return { inputs, call, order: 0 };
}

/** A sample of another shape. */
function shaped(sample: Sample, shape: readonly number[]): Sample {
  return { ...sample, shape };
}

const unaryShapes = [[2, 3], [], [0, 3]];
const binaryShapes = [
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[], [3]],
  [[2, 2], []],
  [[0, 3], [1]],
];

/** Element by element: without axes, empty, and, for two inputs, broadcast. */
function each(call: Call, ...samples: Sample[]): OpCase[] {
  if (samples.length === 1) {
    return unaryShapes.map((shape) => on(call, shaped(samples[0], shape)));
  }
  return binaryShapes.map((shapes) => {
    return on(call, ...samples.map((sample, i) => shaped(sample, shapes[i] ?? shapes[0])));
  });
}

/** {@link each} without gradients. */
function eachFlat(call: Call, ...samples: Sample[]): OpCase[] {
  return each(call, ...samples).map((opCase) => ({ ...opCase, order: 0 }));
}

/** Reductions: along one axis, several, all; keeping axes; without axes, and empty where that means something. */
function reductions(
  reduce: (x: Tensor, dim?: number | readonly number[], options?: ops.ReduceOptions) => Tensor,
  sample: Sample,
  empty: boolean,
): OpCase[] {
  const cases = [
    on((x) => reduce(x), shaped(sample, [2, 3, 2])),
    on((x) => reduce(x, -1), shaped(sample, [3, 4])),
    on((x) => reduce(x, 0), shaped(sample, [3, 4])),
    on((x) => reduce(x, [0, 2], { keepdim: true }), shaped(sample, [2, 3, 2])),
    on((x) => reduce(x, 1), shaped(sample, [2, 3, 2])),
    on((x) => reduce(x), shaped(sample, [])),
    on((x) => reduce(x, 1), shaped(sample, [0, 3])),
  ];
  return empty ? [...cases, on((x) => reduce(x, 1), shaped(sample, [2, 0]))] : cases;
}

const x = real([]);
const positive = real([], 0.3, 3);
const inside = real([], -0.8, 0.8);
const kinked = real([], -2, 2, 0);

/** Comparisons of reals (with equal values among them), integers and booleans. */
function comparisons(call: Call): OpCase[] {
  return [
    ...eachFlat(call, x, x),
    flat(call, whole([50], 0, 3), whole([50], 0, 3)),
    flat(call, bool([9]), bool([9])),
    flat(call, whole([5], 0, 200, "uint8"), real([5])),
  ];
}

/** A product of groups of so many rows. */
function grouped(...sizes: readonly number[]): Call {
  return (a, w) => ops.groupedMatmul(a, w, tensor(sizes, { dtype: "int32" }));
}

/** Rounding, away from jumps; of halves; and of integers. */
function roundings(call: Call): OpCase[] {
  return [
    ...each(call, real([], -3, 3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5)),
    flat((a) => call(a.div(2)), whole([20], -10, 10)),
    flat(call, whole([5])),
  ];
}

/** The cases of each operation. */
export const opCases: Readonly<Record<OpName, readonly OpCase[]>> = {
  // Arithmetic
  add: [
    ...each(ops.add, x, x),
    on((a) => ops.add(a, 3), real([3])),
    flat(ops.add, whole([3]), whole([3])),
    flat(ops.add, bool([4]), bool([4])),
    flat(ops.add, whole([3], 200, 256, "uint8"), whole([3], 200, 256, "uint8")),
  ],
  sub: [...each(ops.sub, x, x), flat(ops.sub, whole([3], 0, 9, "uint8"), whole([3]))],
  mul: [
    ...each(ops.mul, x, x),
    flat(ops.mul, whole([3], -(2 ** 30), 2 ** 30), whole([3], -(2 ** 30), 2 ** 30)),
    on(ops.mul, bool([3]), real([3])),
  ],
  div: [
    ...each((a, b) => ops.div(a, b), x, positive),
    flat((a, b) => ops.div(a, b, { roundingMode: "floor" }), whole([20], -9, 9), whole([20])),
    flat((a, b) => ops.div(a, b, { roundingMode: "trunc" }), whole([20], -9, 9), whole([20])),
    on((a, b) => ops.div(a, b, { roundingMode: "floor" }), real([9]), real([9], 0.4, 1)),
    on((a, b) => ops.div(a, b, { roundingMode: "trunc" }), real([9]), real([9], 0.4, 1)),
    flat((a, b) => ops.div(a, b), whole([9], -9, 9), whole([9], 1, 5)),
  ],
  remainder: [
    on((a, b) => ops.remainder(a, b), real([9], 0.1, 0.9), real([9], 1, 2)),
    on((a, b) => ops.remainder(a, b), real([9], 2.1, 2.9), real([9], -2, -1.5)),
    flat(ops.remainder, whole([20], -9, 9), whole([20], 1, 5)),
    flat(ops.remainder, whole([20], -9, 9), whole([20], -5, 0)),
  ],
  pow: [
    ...each(ops.pow, positive, x),
    ...[-2, -1, -0.5, 0, 0.5, 1, 2, 3, 2.5].map((p) => on((a) => ops.pow(a, p), real([4], 0.3, 2))),
    on((a) => ops.pow(a, 4), real([4], -2, -0.3)),
    flat((a) => ops.pow(a, 3), whole([5])),
    flat(ops.pow, whole([5]), whole([5], 0, 4)),
  ],
  neg: [...each(ops.neg, x), flat(ops.neg, whole([3]))],
  abs: [...each(ops.abs, kinked), flat(ops.abs, whole([5]))],
  sign: [...each(ops.sign, kinked), flat(ops.sign, whole([5]))],
  reciprocal: each(ops.reciprocal, positive),
  sqrt: each(ops.sqrt, positive),
  rsqrt: each(ops.rsqrt, positive),
  square: each(ops.square, x),
  maximum: [...each(ops.maximum, x, x), flat(ops.maximum, whole([9]), whole([9]))],
  minimum: [...each(ops.minimum, x, x), flat(ops.minimum, whole([9]), whole([9]))],
  clamp: [
    ...each((a) => ops.clamp(a, -0.5, 1), real([], -2, 2, -0.5, 1)),
    on((a) => ops.clamp(a, { max: 0.3 }), real([9], -2, 2, 0.3)),
    flat((a) => ops.clamp(a, -1, 2), whole([9])),
  ],
  lerp: [
    ...each((a, b) => ops.lerp(a, b, 0.3), x, x),
    on((a, b, w) => ops.lerp(a, b, w), real([2, 3]), real([3]), real([2, 1], 0, 1, 0.5)),
  ],
  floor: roundings(ops.floor),
  ceil: roundings(ops.ceil),
  round: roundings(ops.round),
  trunc: roundings(ops.trunc),

  // Transcendental
  exp: each(ops.exp, x),
  expm1: [...each(ops.expm1, x), on(ops.expm1, real([5], -1e-4, 1e-4))],
  log: each(ops.log, positive),
  log1p: [...each(ops.log1p, inside), on(ops.log1p, real([5], -1e-4, 1e-4))],
  log2: each(ops.log2, positive),
  sin: [...each(ops.sin, x), on(ops.sin, real([5], -100, 100))],
  cos: [...each(ops.cos, x), on(ops.cos, real([5], -100, 100))],
  tan: each(ops.tan, real([], -1.2, 1.2)),
  asin: each(ops.asin, inside),
  acos: each(ops.acos, inside),
  atan: each(ops.atan, x),
  sinh: each(ops.sinh, x),
  cosh: each(ops.cosh, x),
  tanh: each(ops.tanh, x),
  erf: each(ops.erf, x),

  // Comparison
  eq: comparisons(ops.eq),
  ne: comparisons(ops.ne),
  lt: comparisons(ops.lt),
  le: comparisons(ops.le),
  gt: comparisons(ops.gt),
  ge: comparisons(ops.ge),
  logicalAnd: comparisons(ops.logicalAnd),
  logicalOr: comparisons(ops.logicalOr),
  logicalNot: [...eachFlat(ops.logicalNot, x), flat(ops.logicalNot, bool([5]))],
  isnan: [...eachFlat(ops.isnan, x), flat((a) => ops.isnan(a.log()), real([9]))],
  isinf: [...eachFlat(ops.isinf, x), flat((a) => ops.isinf(a.div(0)), whole([9], -1, 2))],
  isfinite: [...eachFlat(ops.isfinite, x), flat((a) => ops.isfinite(a.div(0)), whole([9], -1, 2))],

  // Activations
  relu: [...each(ops.relu, kinked), flat(ops.relu, whole([5]))],
  leakyRelu: [
    ...each((a) => ops.leakyRelu(a), kinked),
    on((a) => ops.leakyRelu(a, { negativeSlope: 0.2 }), real([5], -2, 2, 0)),
  ],
  elu: [
    ...each((a) => ops.elu(a), kinked),
    on((a) => ops.elu(a, { alpha: 0.5 }), real([5], -2, 2, 0)),
  ],
  gelu: [
    ...each((a) => ops.gelu(a), x),
    on((a) => ops.gelu(a, { approximate: "tanh" }), real([5])),
  ],
  silu: each(ops.silu, x),
  sigmoid: [...each(ops.sigmoid, x), on(ops.sigmoid, real([5], -90, 90))],
  softplus: [
    ...each((a) => ops.softplus(a), x),
    on((a) => ops.softplus(a, { beta: 2, threshold: 1 }), real([5], -2, 2, 0.5)),
  ],
  hardswish: each(ops.hardswish, real([], -5, 5, -3, 3)),
  mish: each(ops.mish, x),
  softmax: [
    on((a) => ops.softmax(a, -1), real([3, 4])),
    on((a) => ops.softmax(a, 0), real([3, 4])),
    on((a) => ops.softmax(a, 1), real([2, 3, 2])),
    on((a) => ops.softmax(a, 0), real([])),
    on((a) => ops.softmax(a, 1), real([0, 3])),
    on((a) => ops.softmax(a, -1), real([2, 70], 90, 110)),
  ],
  logSoftmax: [
    on((a) => ops.logSoftmax(a, -1), real([3, 4])),
    on((a) => ops.logSoftmax(a, 0), real([3, 4])),
    on((a) => ops.logSoftmax(a, 1), real([2, 3, 2])),
    on((a) => ops.logSoftmax(a, 0), real([])),
    on((a) => ops.logSoftmax(a, 1), real([0, 3])),
    on((a) => ops.logSoftmax(a, -1), real([2, 70], 90, 110)),
  ],

  layerNorm: [
    on((a) => ops.layerNorm(a, [5]), real([3, 5])),
    on(
      (a, w, b) => ops.layerNorm(a, [2, 3], { weight: w, bias: b, eps: 0.1 }),
      real([2, 2, 3]),
      real([2, 3]),
      real([2, 3]),
    ),
    on((a) => ops.layerNorm(a, [70]), real([2, 70], 99, 101)),
  ],
  rmsNorm: [
    on((a) => ops.rmsNorm(a, [5]), real([3, 5])),
    on((a, w) => ops.rmsNorm(a, [5], { weight: w, eps: 0.1 }), real([3, 5]), real([5])),
  ],
  batchNorm: [
    on(
      (a, w, b) => ops.batchNorm(a, undefined, undefined, { weight: w, bias: b, training: true }),
      real([3, 2, 2]),
      real([2]),
      real([2]),
    ),
    on((a, m, v) => ops.batchNorm(a, m, v), real([3, 2]), real([2]), real([2], 0.5, 2)),
  ],
  groupNorm: [
    on(
      (a, w, b) => ops.groupNorm(a, 2, { weight: w, bias: b }),
      real([2, 4, 3]),
      real([4]),
      real([4]),
    ),
  ],
  dropout: [
    on((a) => ops.dropout(a, 0.4, { generator: new Generator(3) }), real([5, 7])),
    on((a) => ops.dropout(a, 0.4, { training: false }), real([3])),
  ],

  // Reductions
  sum: [...reductions(ops.sum, x, true), flat((a) => ops.sum(a, 0), bool([7, 2]))],
  mean: reductions(ops.mean, x, false),
  prod: [
    ...reductions(ops.prod, x, true),
    on((a) => ops.prod(a.mul(a.gt(0)), 1), real([3, 4], -1, 3, 0)),
    flat((a) => ops.prod(a), whole([4], 1, 5)),
  ],
  cumsum: [
    on((a) => ops.cumsum(a, 0), real([3, 4])),
    on((a) => ops.cumsum(a, -1), real([3, 70])),
    on((a) => ops.cumsum(a, 1).exp(), real([2, 3, 2])),
    on((a) => ops.cumsum(a, 0), real([])),
    on((a) => ops.cumsum(a, 1), real([2, 0])),
    flat((a) => ops.cumsum(a, 0), bool([9])),
    flat((a) => ops.cumsum(a, 0), whole([9], 0, 256, "uint8")),
  ],
  cumprod: [
    on((a) => ops.cumprod(a, 0), real([3, 4])),
    on((a) => ops.cumprod(a, -1), real([2, 9])),
    on((a) => ops.cumprod(a, 1).exp(), real([2, 3, 2], -1, 1)),
    on((a) => ops.cumprod(a.mul(a.gt(0)), 1), real([3, 5], -1, 3, 0)),
    on((a) => ops.cumprod(a, 0), real([])),
    on((a) => ops.cumprod(a, 1), real([2, 0])),
    flat((a) => ops.cumprod(a, 0), whole([40], 2, 9)),
  ],
  max: [
    on((a) => ops.max(a), real([2, 3])),
    on((a) => Object.values(ops.max(a, 1)), real([3, 5])),
    on((a) => Object.values(ops.max(a, 0, { keepdim: true })), real([3, 5])),
    flat((a) => Object.values(ops.max(a, 1)), whole([3, 9], 0, 3)),
    flat((a) => ops.max(a), bool([3])),
  ],
  min: [
    on((a) => ops.min(a), real([2, 3])),
    on((a) => Object.values(ops.min(a, 1)), real([3, 5])),
    on((a) => Object.values(ops.min(a, 0, { keepdim: true })), real([3, 5])),
    flat((a) => Object.values(ops.min(a, 1)), whole([3, 9], 0, 3)),
  ],
  amax: [...reductions(ops.amax, x, false), flat((a) => ops.amax(a, 1), whole([2, 9]))],
  amin: [...reductions(ops.amin, x, false), flat((a) => ops.amin(a, 1), whole([2, 9]))],
  argmax: [
    flat((a) => ops.argmax(a), real([3, 7])),
    flat((a) => ops.argmax(a, 1), real([3, 70])),
    flat((a) => ops.argmax(a, 0, { keepdim: true }), real([7, 3])),
    flat((a) => ops.argmax(a, 1), whole([3, 20], 0, 4)),
    flat((a) => ops.argmax(a), real([])),
  ],
  argmin: [
    flat((a) => ops.argmin(a), real([3, 7])),
    flat((a) => ops.argmin(a, 1), real([3, 70])),
    flat((a) => ops.argmin(a, 0, { keepdim: true }), real([7, 3])),
    flat((a) => ops.argmin(a, 1), whole([3, 20], 0, 4)),
  ],
  var: [
    on((a) => ops.var(a), real([2, 3])),
    on((a) => ops.var(a, 1, { correction: 0, keepdim: true }), real([2, 5])),
    on((a) => ops.var(a, [0, 2]), real([2, 3, 2])),
  ],
  std: [
    on((a) => ops.std(a), real([2, 3])),
    on((a) => ops.std(a, 1, { correction: 0, keepdim: true }), real([2, 5])),
  ],
  norm: [
    on((a) => ops.norm(a), real([2, 3])),
    ...[1, 2, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((p) => {
      return on((a) => ops.norm(a, 1, { p, keepdim: true }), real([2, 5], -2, 2, 0));
    }),
    flat((a) => ops.norm(a, 1, { p: 0 }), real([2, 5])),
  ],
  any: [
    flat((a) => ops.any(a), bool([3])),
    flat((a) => ops.any(a, 1, { keepdim: true }), whole([9, 2], 0, 2)),
    flat((a) => ops.any(a, 1), bool([2, 0])),
  ],
  all: [
    flat((a) => ops.all(a), bool([3])),
    flat((a) => ops.all(a, 1, { keepdim: true }), whole([9, 2], 0, 2)),
    flat((a) => ops.all(a, 1), bool([2, 0])),
  ],
  logsumexp: [
    ...reductions(ops.logsumexp, x, false),
    on((a) => ops.logsumexp(a, 1), real([2, 5], 800, 900)),
  ],

  // Shape
  reshape: [
    on((a) => ops.reshape(a, [3, -1]), real([2, 6])),
    on((a) => ops.reshape(a.transpose(0, 1), [4, 3]), real([2, 6])),
    on((a) => ops.reshape(a, [0, 5]), real([2, 0])),
    on((a) => ops.reshape(a, []), real([1, 1])),
  ],
  view: [on((a) => ops.view(a, [3, -1]), real([2, 6]))],
  flatten: [
    on((a) => ops.flatten(a), real([2, 3, 2])),
    on((a) => ops.flatten(a, 1), real([2, 3, 2])),
    on((a) => ops.flatten(a), real([])),
  ],
  unflatten: [on((a) => ops.unflatten(a, 1, [2, -1]), real([2, 6]))],
  squeeze: [
    on((a) => ops.squeeze(a), real([1, 3, 1])),
    on((a) => ops.squeeze(a, 0), real([1, 3, 1])),
  ],
  unsqueeze: [
    on((a) => ops.unsqueeze(a, 0), real([3])),
    on((a) => ops.unsqueeze(a, -1), real([2, 3])),
    on((a) => ops.unsqueeze(a, 0), real([])),
  ],
  permute: [
    on((a) => ops.permute(a, [2, 0, 1]), real([2, 3, 4])),
    on((a) => ops.permute(a, []), real([])),
    on((a) => ops.permute(a, [1, 0]), real([0, 3])),
  ],
  transpose: [on((a) => ops.transpose(a, 0, -1), real([2, 3, 4]))],
  t: [on((a) => ops.t(a), real([2, 3])), on((a) => ops.t(a), real([3]))],
  expand: [
    on((a) => ops.expand(a, [4, 2, 3]), real([2, 1])),
    on((a) => ops.expand(a, [2, -1]), real([3])),
    on((a) => ops.expand(a, [2, 2]), real([])),
    on((a) => ops.expand(a, [0, 3]), real([1, 3])),
  ],
  repeat: [
    on((a) => ops.repeat(a, [2, 3]), real([2, 2])),
    on((a) => ops.repeat(a, [2, 1, 0]), real([2, 2])),
    on((a) => ops.repeat(a, [3]), real([])),
  ],
  repeatInterleave: [
    on((a) => ops.repeatInterleave(a, 3, 1), real([2, 2])),
    on((a) => ops.repeatInterleave(a, 2), real([2, 2])),
  ],
  slice: [
    on((a) => ops.slice(a, 1, 1, 6, { step: 2 }), real([2, 7])),
    on((a) => ops.slice(a, 0, -2), real([4, 2])),
    on((a) => ops.slice(a, 0, 3, 1), real([4, 2])),
    on((a) => ops.slice(a, 0, 0, 5, { step: 4 }), real([5])),
  ],
  narrow: [on((a) => ops.narrow(a, 1, 2, 3), real([2, 7]))],
  select: [
    on((a) => ops.select(a, 0, -1), real([3, 2])),
    on((a) => ops.select(a, 1, 0), real([3, 2])),
  ],
  pad: [
    on((a) => ops.pad(a, [1, 2]), real([2, 3])),
    on((a) => ops.pad(a, [0, 1, 2, 0], { value: 7 }), real([2, 3])),
    on((a) => ops.pad(a, [-1, 1]), real([2, 3])),
    on((a) => ops.pad(a, [1, 1]), real([0])),
    on((a) => ops.pad(ops.pad(a, [2, 0]), [-1, 1]).exp(), real([4])),
  ],
  flip: [
    on((a) => ops.flip(a, [0, 1]), real([2, 3])),
    on((a) => ops.flip(a, -1), real([2, 3])),
    on((a) => ops.flip(a, 0), real([0])),
  ],
  roll: [
    on((a) => ops.roll(a, 1, 0), real([3, 2])),
    on((a) => ops.roll(a, [1, -2], [0, 1]), real([2, 5])),
    on((a) => ops.roll(a, 2), real([2, 3])),
  ],
  diagonal: [
    on((a) => ops.diagonal(a), real([3, 4])),
    on((a) => ops.diagonal(a, 1), real([3, 3])),
    on((a) => ops.diagonal(a, -1, 1, 2), real([2, 3, 2])),
    on((a) => ops.diagonal(a, 9), real([2, 3])),
  ],
  tril: [
    on((a) => ops.tril(a), real([3, 4])),
    on((a) => ops.tril(a, -1), real([2, 3, 3])),
    flat((a) => ops.tril(a), bool([3, 3])),
  ],
  triu: [on((a) => ops.triu(a), real([3, 4])), on((a) => ops.triu(a, 1), real([2, 3, 3]))],

  // Joining and choosing
  cat: [
    on((a, b) => ops.cat([a, b], 1), real([2, 3]), real([2, 1])),
    on((a, b, c) => ops.cat([a, b, c]), real([2, 3]), real([0, 3]), real([1, 3])),
    flat((a, b) => ops.cat([a, b]), whole([3]), bool([2])),
    on((a) => ops.cat([a]).exp(), real([3])),
    on((a, b) => ops.cat([a, b]).narrow(0, 1, 2).flip(0).exp(), real([2]), real([2])),
  ],
  stack: [
    on((a, b) => ops.stack([a, b]), real([2, 3]), real([2, 3])),
    on((a, b) => ops.stack([a, b], -1), real([2]), real([2])),
    on((a, b) => ops.stack([a, b]), real([]), real([])),
  ],
  split: [
    on((a) => ops.split(a, 2), real([5, 2])),
    on((a) => ops.split(a, [1, 0, 3], 1), real([2, 4])),
  ],
  chunk: [on((a) => ops.chunk(a, 3, 1), real([2, 7]))],
  unbind: [on((a) => ops.unbind(a, 1), real([2, 3]))],
  meshgrid: [
    on((a, b) => ops.meshgrid([a, b]), real([2]), real([3])),
    on((a, b) => ops.meshgrid([a, b], { indexing: "xy" }), real([2]), real([3])),
  ],
  where: [
    on((c, a, b) => ops.where(c, a, b), bool([2, 3]), real([2, 3]), real([2, 3])),
    on((c, a, b) => ops.where(c, a, b), bool([2, 1]), real([3]), real([])),
    on((c, a) => ops.where(c, a, 0), bool([3]), real([3])),
    flat((c, a, b) => ops.where(c, a, b), bool([9]), whole([9]), whole([9])),
  ],
  maskedFill: [on((a, m) => ops.maskedFill(a, m, -7), real([2, 3]), bool([3]))],
  gather: [
    on((a, i) => ops.gather(a, i, 0), real([3, 4]), whole([2, 4], 0, 3)),
    on((a, i) => ops.gather(a, 1, i), real([3, 4]), whole([3, 7], 0, 4)),
    on((a, i) => ops.gather(a, i, -2), real([2, 3, 2]), whole([1, 5, 2], 0, 3)),
    on((a, i) => ops.gather(a, i, 1).exp().sum(1), real([3, 4]), whole([2, 3], 0, 4, "uint8")),
    on((a, i) => ops.gather(a, i, 0), real([]), whole([3], 0, 1)),
    on((a, i) => ops.gather(a, i, 0), real([5]), whole([], 0, 5)),
    on((a, i) => ops.gather(a, i, 1), real([2, 3]), whole([2, 0])),
    flat((a, i) => ops.gather(a, i, 0), bool([5]), whole([9], 0, 5)),
    flat((a, i) => ops.gather(a, i, 0), whole([5], 0, 256, "uint8"), whole([9], 0, 5)),
  ],
  scatter: [
    on((a, i, s) => ops.scatter(a, i, s, 0), real([3, 4]), whole([2, 3], 0, 3), real([2, 4])),
    on((a, i, s) => ops.scatter(a, 1, i, s), real([3, 4]), whole([3, 9], 0, 4), real([3, 9])),
    on((a, i, s) => ops.scatter(a, i, s, 0), real([]), whole([2], 0, 1), real([2])),
    on((a, i, s) => ops.scatter(a, i, s, 1), real([2, 3]), whole([2, 0]), real([2, 1])),
    on((a, i) => ops.scatter(a, i, 0.5, -1), real([3, 4]), whole([2, 2], 0, 4)),
    flat((a, i, s) => ops.scatter(a, i, s, 0), bool([4]), whole([3], 0, 4), bool([3])),
    flat((a, i, s) => ops.scatter(a, i, s, 0), whole([4]), whole([7], 0, 4), whole([7])),
  ],
  scatterAdd: [
    on((a, i, s) => ops.scatterAdd(a, i, s, 0), real([3, 4]), whole([2, 3], 0, 3), real([2, 4])),
    on((a, i, s) => ops.scatterAdd(a, 1, i, s), real([3, 4]), whole([3, 9], 0, 4), real([3, 9])),
    on((a, i, s) => ops.scatterAdd(a, i, s, 0), real([]), whole([2], 0, 1), real([2])),
    on((a, i, s) => ops.scatterAdd(a, i, s, 1), real([2, 3]), whole([2, 0]), real([2, 1])),
    flat((a, i, s) => ops.scatterAdd(a, i, s, 0), bool([4]), whole([3], 0, 4), bool([3])),
    flat((a, i, s) => ops.scatterAdd(a, i, s, 0), whole([4]), whole([7], 0, 4), whole([7])),
    flat(
      (a, i, s) => ops.scatterAdd(a, i, s, 0),
      whole([4], 0, 256, "uint8"),
      whole([9], 0, 4),
      whole([9], 0, 256, "uint8"),
    ),
  ],
  indexSelect: [
    on((a, i) => ops.indexSelect(a, i, 0), real([3, 4]), whole([5], 0, 3)),
    on((a, i) => ops.indexSelect(a, 1, i), real([2, 3, 2]), whole([2], 0, 3)),
    on((a, i) => ops.indexSelect(a, i, -1), real([2, 3]), whole([], 0, 3)),
    on((a, i) => ops.indexSelect(a, i, 0), real([]), whole([1], 0, 1)),
    on((a, i) => ops.indexSelect(a, i, 1), real([2, 3]), whole([0])),
    flat((a, i) => ops.indexSelect(a, i, 0), bool([4]), whole([3], 0, 4)),
  ],
  take: [
    on(ops.take, real([3, 4]), whole([2, 5], -12, 12)),
    on(ops.take, real([5]), whole([], -5, 5)),
    on(ops.take, real([]), whole([2], -1, 1)),
    on(ops.take, real([0]), whole([0])),
    flat(ops.take, whole([2, 2]), whole([3], 0, 4, "uint8")),
  ],
  embedding: [
    on((i, w) => ops.embedding(i, w), whole([2, 5], 0, 3), real([3, 4])),
    on((i, w) => ops.embedding(i, w), whole([], 0, 3), real([3, 2])),
    on((i, w) => ops.embedding(i, w), whole([0]), real([3, 2])),
    on((i, w) => ops.embedding(i, w).exp(), whole([40], 0, 5, "uint8"), real([5, 3])),
  ],
  sort: [
    on((a) => Object.values(ops.sort(a)), real([3, 5])),
    on((a) => Object.values(ops.sort(a, 0, { descending: true })), real([7, 2])),
    on((a) => Object.values(ops.sort(a, 1)), real([2, 40, 2])),
    on((a) => Object.values(ops.sort(a)), real([1, 7])),
    on((a) => Object.values(ops.sort(a)), real([])),
    on((a) => Object.values(ops.sort(a)), real([2, 0])),
    flat((a) => Object.values(ops.sort(a)), whole([2, 90], 0, 9)),
    flat((a) => Object.values(ops.sort(a, -1, { descending: true })), whole([90], 0, 9)),
    flat((a) => Object.values(ops.sort(a)), bool([9])),
    flat((a) => Object.values(ops.sort(a)), whole([20], 0, 256, "uint8")),
  ],
  argsort: [
    flat((a) => ops.argsort(a), real([3, 5])),
    flat((a) => ops.argsort(a, 0, { descending: true }), real([70, 2])),
    flat((a) => ops.argsort(a.log()), real([30])),
  ],
  topk: [
    on((a) => Object.values(ops.topk(a, 2)), real([3, 5])),
    on((a) => Object.values(ops.topk(a, 3, 0, { largest: false })), real([20, 2])),
    on((a) => Object.values(ops.topk(a, 0)), real([3, 5])),
    on((a) => Object.values(ops.topk(a, 1)), real([])),
    on((a) => Object.values(ops.topk(a, 2)), real([1, 30])),
    flat((a) => Object.values(ops.topk(a, 9)), whole([2, 90], 0, 9)),
  ],
  oneHot: [
    flat((a) => ops.oneHot(a, 4), whole([2, 3], 0, 4)),
    flat((a) => ops.oneHot(a, 4), whole([], 0, 4)),
  ],
  to: [
    on((a) => ops.to(a, "float64"), real([3])),
    flat((a) => ops.to(a, "int32"), real([20], -5, 5)),
    flat((a) => ops.to(a, "bool"), whole([9], -1, 2)),
    flat((a) => ops.to(a, "uint8"), whole([9], -300, 300)),
    flat((a) => ops.to(a, "float32"), bool([9])),
  ],
  clone: [on((a) => ops.clone(a), real([2, 3]))],

  // Windows
  conv1d: [
    on(
      (a, w, b) => ops.conv1d(a, w, { bias: b, padding: 1 }),
      real([2, 3, 5]),
      real([4, 3, 3]),
      real([4]),
    ),
    on(
      (a, w) => ops.conv1d(a, w, { stride: 2, dilation: 2, groups: 2 }),
      real([2, 4, 8]),
      real([2, 2, 3]),
    ),
    on((a, w) => ops.conv1d(a, w), real([3, 5]), real([2, 3, 2])),
  ],
  conv2d: [
    on(
      (a, w, b) => ops.conv2d(a, w, { bias: b, padding: 1 }),
      real([2, 3, 4, 5]),
      real([4, 3, 3, 3]),
      real([4]),
    ),
    on(
      (a, w) => ops.conv2d(a, w, { stride: [2, 1], padding: [0, 1] }),
      real([1, 2, 5, 4]),
      real([3, 2, 2, 3]),
    ),
    on(
      (a, w) => ops.conv2d(a, w, { stride: 2, padding: 2, dilation: 2 }),
      real([1, 2, 5, 6]),
      real([2, 2, 3, 3]),
    ),
    on(
      (a, w) => ops.conv2d(a, w, { padding: "same", dilation: [1, 2] }),
      real([1, 2, 4, 5]),
      real([2, 2, 2, 3]),
    ),
    on(
      (a, w) => ops.conv2d(a, w, { groups: 4, padding: 1 }),
      real([2, 4, 4, 3]),
      real([4, 1, 3, 3]),
    ),
    on(
      (a, w) => ops.conv2d(a, w, { groups: 2, stride: 2 }),
      real([2, 4, 4, 4]),
      real([6, 2, 2, 2]),
    ),
    on((a, w) => ops.conv2d(a, w), real([0, 2, 3, 3]), real([3, 2, 2, 2])),
    on((a, w) => ops.conv2d(a, w), real([2, 3, 2]), real([1, 2, 1, 1])),
  ],
  convTranspose1d: [
    on(
      (a, w, b) => ops.convTranspose1d(a, w, { bias: b, stride: 2, padding: 1, outputPadding: 1 }),
      real([2, 3, 4]),
      real([3, 2, 3]),
      real([2]),
    ),
  ],
  convTranspose2d: [
    on(
      (a, w, b) => ops.convTranspose2d(a, w, { bias: b, stride: 2 }),
      real([2, 3, 3, 2]),
      real([3, 2, 2, 2]),
      real([2]),
    ),
    on(
      (a, w) => ops.convTranspose2d(a, w, { padding: 1, dilation: [1, 2] }),
      real([1, 2, 3, 4]),
      real([2, 2, 3, 2]),
    ),
    on(
      (a, w) => ops.convTranspose2d(a, w, { stride: [2, 3], dilation: 2, outputPadding: 1 }),
      real([1, 2, 2, 3]),
      real([2, 1, 2, 2]),
    ),
    on(
      (a, w) => ops.convTranspose2d(a, w, { groups: 2, stride: 2, padding: 1 }),
      real([2, 4, 3, 3]),
      real([4, 1, 4, 4]),
    ),
    on((a, w) => ops.convTranspose2d(a, w), real([2, 2, 2]), real([2, 3, 2, 2])),
  ],

  maxPool1d: [
    on((a) => ops.maxPool1d(a, 2), real([2, 3, 6])),
    on((a) => ops.maxPool1d(a, 3, { stride: 2, padding: 1, dilation: 2 }), real([1, 2, 9])),
  ],
  maxPool2d: [
    on((a) => ops.maxPool2d(a, 2), real([2, 2, 4, 6])),
    on((a) => ops.maxPool2d(a, 2), real([2, 5, 5])),
    on((a) => ops.maxPool2d(a, 3, { stride: 2, padding: 1 }), real([1, 2, 6, 5])),
    on((a) => ops.maxPool2d(a, [2, 3], { stride: [1, 2], ceilMode: true }), real([1, 2, 4, 6])),
    flat(
      (a) => {
        const { values, indices } = ops.maxPool2d(a, 3, { padding: 1, returnIndices: true });
        return [values.detach(), indices];
      },
      real([2, 2, 5, 6]),
    ),
    on((a) => ops.maxPool2d(a, 2), real([0, 2, 4, 4])),
  ],
  avgPool2d: [
    on((a) => ops.avgPool2d(a, 2), real([2, 2, 4, 6])),
    on((a) => ops.avgPool2d(a, 3, { stride: 2, padding: 1 }), real([2, 5, 4])),
    on(
      (a) => ops.avgPool2d(a, 3, { stride: 2, padding: 1, countIncludePad: false, ceilMode: true }),
      real([1, 2, 6, 4]),
    ),
    on((a) => ops.avgPool2d(a, [2, 3], { stride: 2, ceilMode: true }), real([1, 1, 5, 6])),
    on((a) => ops.avgPool2d(a, 2, { stride: 1, divisorOverride: 3 }), real([1, 1, 3, 3])),
  ],
  adaptiveAvgPool2d: [
    on((a) => ops.adaptiveAvgPool2d(a, [2, 3]), real([2, 2, 4, 6])),
    on((a) => ops.adaptiveAvgPool2d(a, [3, 2]), real([1, 2, 4, 5])),
    on((a) => ops.adaptiveAvgPool2d(a, 1), real([2, 3, 4])),
    on((a) => ops.adaptiveAvgPool2d(a, [null, 5]), real([1, 2, 2, 3])),
  ],
  adaptiveMaxPool2d: [
    on((a) => ops.adaptiveMaxPool2d(a, [2, 3]), real([2, 2, 4, 6])),
    on((a) => ops.adaptiveMaxPool2d(a, [3, 2]), real([1, 2, 4, 5])),
    on((a) => ops.adaptiveMaxPool2d(a, 1), real([2, 3, 4])),
  ],
  unfold: [
    on((a) => ops.unfold(a, 2), real([2, 2, 3, 4])),
    on(
      (a) => ops.unfold(a, [2, 3], { stride: 2, padding: 1, dilation: [1, 2] }),
      real([1, 2, 4, 6]),
    ),
    on((a) => ops.unfold(a, 1, 3, 2), real([2, 8, 2])),
    on((a) => ops.unfold(a, -1, 2, 3), real([6])),
  ],
  interpolate: [
    on((a) => ops.interpolate(a, { scaleFactor: 2 }), real([1, 2, 2, 3])),
    on((a) => ops.interpolate(a, { size: [2, 1] }), real([2, 1, 4, 3])),
    on((a) => ops.interpolate(a, { size: 5 }), real([2, 2, 3])),
    flat((a) => ops.interpolate(a, { scaleFactor: 1.7 }), whole([1, 2, 3])),
    on((a) => ops.interpolate(a, { scaleFactor: 2, mode: "bilinear" }), real([1, 2, 2, 3])),
    on(
      (a) => ops.interpolate(a, { size: [3, 5], mode: "bilinear", alignCorners: true }),
      real([1, 2, 4, 3]),
    ),
    on((a) => ops.interpolate(a, { size: [1, 2], mode: "bilinear" }), real([2, 1, 3, 5])),
  ],
  pixelShuffle: [
    on((a) => ops.pixelShuffle(a, 2), real([2, 8, 2, 3])),
    on((a) => ops.pixelShuffle(a, 3), real([9, 2, 1])),
  ],

  scaledDotProductAttention: [
    on(
      (q, k, v) => ops.scaledDotProductAttention(q, k, v),
      real([2, 3, 4]),
      real([2, 5, 4]),
      real([2, 5, 3]),
    ),
    on(
      (q, k, v) => ops.scaledDotProductAttention(q, k, v, { isCausal: true, scale: 0.7 }),
      real([1, 2, 4, 2]),
      real([2, 1, 4, 2]),
      real([4, 3]),
    ),
    on(
      (q, k, v, mask) => ops.scaledDotProductAttention(q, k, v, { mask }),
      real([2, 2, 3, 2]),
      real([2, 2, 3, 2]),
      real([2, 2, 3, 2]),
      bool([2, 1, 3, 3]),
    ),
    on(
      (q, k, v, mask) => ops.scaledDotProductAttention(q, k, v, { mask, isCausal: true }),
      real([2, 3, 2]),
      real([2, 3, 2]),
      real([2, 3, 2]),
      real([3, 3]),
    ),
    on(
      (q, k, v) =>
        ops.scaledDotProductAttention(q, k, v, { dropout: 0.4, generator: new Generator(3) }),
      real([2, 3, 2]),
      real([2, 3, 2]),
      real([2, 3, 2]),
    ),
    on(
      (q, k, v) => ops.scaledDotProductAttention(q, k, v),
      real([0, 3, 2]),
      real([0, 3, 2]),
      real([0, 3, 2]),
    ),
    on(
      (q, k, v) => ops.scaledDotProductAttention(q, k, v),
      real([2, 3, 2]),
      real([2, 0, 2]),
      real([2, 0, 4]),
    ),
  ],

  // Products
  matmul: [
    on(ops.matmul, real([2, 3]), real([3, 4])),
    on(ops.matmul, real([3]), real([3])),
    on(ops.matmul, real([3]), real([3, 2])),
    on(ops.matmul, real([2, 3]), real([3])),
    on(ops.matmul, real([2, 2, 3]), real([3, 2])),
    on(ops.matmul, real([2, 1, 2, 3]), real([2, 3, 2])),
    on(ops.matmul, real([2, 0]), real([0, 3])),
    on(ops.matmul, real([0, 2]), real([2, 3])),
    on(ops.matmul, real([13, 17]), real([17, 19])),
    flat(ops.matmul, whole([2, 3]), whole([3, 2])),
  ],
  groupedMatmul: [
    on(grouped(2, 0, 1), real([3, 4]), real([3, 4, 2])),
    on(grouped(3, 1), real([6, 2]), real([2, 2, 5])),
    on(grouped(0, 0), real([3, 2]), real([2, 2, 3])),
    on(grouped(4), real([4, 9]), real([1, 9, 8])),
    on(grouped(0, 0), real([0, 2]), real([2, 2, 3])),
    on(grouped(1, 1), real([2, 0]), real([2, 0, 3])),
    on(grouped(1, 1), real([2, 3]), real([2, 3, 0])),
    on(grouped(7, 0, 9, 1), real([19, 17]), real([4, 17, 13])),
    on(grouped(5, 13), real([20, 6]), real([2, 6, 11])),
    flat(grouped(1, 2), whole([4, 3]), whole([2, 3, 2])),
  ],
  mm: [on(ops.mm, real([2, 3]), real([3, 4]))],
  bmm: [on(ops.bmm, real([2, 2, 3]), real([2, 3, 2]))],
  dot: [on(ops.dot, real([4]), real([4]))],
  outer: [on(ops.outer, real([2]), real([3]))],
  einsum: [
    on((a, b) => ops.einsum("ij,jk->ik", a, b), real([2, 3]), real([3, 4])),
    on((a, b) => ops.einsum("bij,bkj->bik", a, b), real([2, 2, 3]), real([2, 4, 3])),
    on((a) => ops.einsum("ii", a), real([3, 3])),
    on((a, b, c) => ops.einsum("i,j,i->ji", a, b, c), real([2]), real([3]), real([2])),
    on((a, b) => ops.einsum("...i,...i->...", a, b), real([2, 3]), real([3])),
  ],
  linear: [
    on((a, w, b) => ops.linear(a, w, { bias: b }), real([3, 2]), real([4, 2]), real([4])),
    on((a, w) => ops.linear(a, w), real([2, 2, 2]), real([3, 2])),
    on((a, w, b) => ops.linear(a, w, { bias: b }), real([2]), real([3, 2]), real([3])),
  ],
};
