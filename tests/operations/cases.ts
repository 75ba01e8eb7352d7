import {
  allclose,
  arange,
  bernoulli,
  type DType,
  empty,
  eye,
  fromTypedArray,
  full,
  linspace,
  manualSeed,
  multinomial,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  randnLike,
  randperm,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from "@gradloom/tensor";
import { type OpCase, opCases } from "../../packages/tensor/test/op-cases.ts";
import { arrange, real, valuesOf } from "../../packages/tensor/test/samples.ts";

/** An operation on tensors of some dtype, as a test runs it: the results, and inputs that gradients flow to. */
export interface Attempt {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
}

/** The ways to try an operation in a dtype, and up to which order it has gradients. */
export interface Trial {
  readonly order: number;
  readonly attempts: (dtype: DType) => readonly (() => Attempt)[];
}

/** What makes tensors of nothing: all of the dtype that is asked for. */
const creation: Readonly<Record<string, (dtype: DType) => Tensor>> = {
  tensor: (dtype) =>
    tensor(
      [
        [0, 1],
        [1, 0],
      ],
      { dtype },
    ),
  fromTypedArray: (dtype) => fromTypedArray(new Float64Array([0, 1]), [2, 1], { dtype }),
  zeros: (dtype) => zeros([2, 3], { dtype }),
  ones: (dtype) => ones([2, 3], { dtype }),
  full: (dtype) => full([2, 3], 1, { dtype }),
  empty: (dtype) => empty([2, 3], { dtype }),
  arange: (dtype) => arange(0, 7, { step: 2, dtype }),
  linspace: (dtype) => linspace(0, 1, 5, { dtype }),
  eye: (dtype) => eye(2, { m: 3, dtype }),
  zerosLike: (dtype) => zerosLike(ones([2, 3], { dtype })),
  onesLike: (dtype) => onesLike(zeros([2, 3], { dtype })),
  rand: (dtype) => rand([5, 7], { dtype }),
  randn: (dtype) => randn([5, 7], { dtype }),
  randnLike: (dtype) => randnLike(zeros([5, 7], { dtype })),
  randint: (dtype) => randint(0, 2, [5, 7], { dtype }),
  randperm: (dtype) => randperm(2, { dtype }),
  bernoulli: (dtype) => bernoulli(full([5, 7], 1, { dtype }).div(2).to(dtype)),
  multinomial: (dtype) => multinomial(tensor([1, 2, 3], { dtype }), 2),
};

/** How to try an operation, or `undefined` if there is no such operation. */
export function trialOf(name: string): Trial | undefined {
  if (name in creation) {
    const attempt = (dtype: DType) => () => {
      manualSeed(7);
      return { outputs: [creation[name](dtype)], inputs: [] };
    };
    return { order: 0, attempts: (dtype) => [attempt(dtype)] };
  }
  if (name === "allclose") {
    const call = (a: Tensor) => tensor(allclose(a, a));
    return trialOfCases([{ inputs: [real([3])], call, order: 0 }]);
  }
  const cases: Readonly<Record<string, readonly OpCase[]>> = opCases;
  return name in cases ? trialOfCases(cases[name]) : undefined;
}

function trialOfCases(cases: readonly OpCase[]): Trial {
  // Masks and indices keep their dtype; where there is nothing else, the first input is what varies.
  const hasReals = cases.some(({ inputs }) => inputs.some((sample) => sample.dtype === "real"));
  const attempt = ({ inputs: samples, call, order }: OpCase, dtype: DType) => {
    const inputs = samples.map((sample, i) => {
      const varies = hasReals ? sample.dtype === "real" : i === 0;
      const own = sample.dtype === "real" ? dtype : sample.dtype;
      const values = valuesOf(sample, i);
      const isWhole = varies && dtype !== "float32" && dtype !== "float64";
      const fitting = isWhole ? values.map((x) => fit(x, dtype)) : values;
      const x = arrange(fitting, sample.shape, varies ? dtype : own, "contiguous");
      return varies && !isWhole && order > 0 ? x.requiresGrad_() : x;
    });
    manualSeed(7);
    return { outputs: [call(...inputs)].flat(), inputs };
  };
  return {
    order: Math.max(...cases.map(({ order }) => order)),
    attempts: (dtype) => {
      const possible = hasReals
        ? cases.filter(({ inputs }) => inputs.some((sample) => sample.dtype === "real"))
        : cases;
      return possible.map((opCase) => () => attempt(opCase, dtype));
    },
  };
}

/** A value that an integer dtype has. */
function fit(x: number, dtype: DType): number {
  if (dtype === "bool") return Number(x > 0);
  const whole = Math.trunc(x);
  return dtype === "uint8" ? Math.min(Math.abs(whole), 255) : whole;
}
