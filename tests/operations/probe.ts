import {
  type DType,
  fromTypedArray,
  GradloomError,
  realize,
  setBackend,
  type Tensor,
  type TypedArray,
} from "@gradloom/tensor";
import { largestDifference, real, valuesOf } from "../../packages/tensor/test/samples.ts";
import type { Attempt, Trial } from "./cases.ts";

export const dtypes = ["float32", "float64", "int32", "uint8", "bool"] as const;
export const backends = ["js", "wasm"] as const;
type Backend = (typeof backends)[number];

/** What came out when an operation was tried. */
export interface Findings {
  /** By backend: in which dtypes it computes. */
  readonly dtypes: Readonly<Record<Backend, readonly DType[]>>;
  /** By backend: whether gradients were computed. */
  readonly gradient: Readonly<Record<Backend, boolean>>;
  /** The dtypes of results, for inputs in float32 if it takes them. */
  readonly results: ReadonlySet<DType>;
}

const tolerance: Readonly<Partial<Record<DType, number>>> = { float32: 2e-5, float64: 1e-11 };

/**
 * Tries an operation in each dtype on each backend, with gradients where it has them.
 *
 * @throws Error where backends differ, or an operation fails in any other way than by refusing a dtype, or an argument that
 * the dtype does not allow, with an error of its own.
 */
export function probe(name: string, trial: Trial): Findings {
  const found: Record<Backend, DType[]> = { js: [], wasm: [] };
  const gradient: Record<Backend, boolean> = { js: false, wasm: false };
  const results = new Set<DType>();
  for (const dtype of dtypes) {
    const values: Partial<Record<Backend, readonly TypedArray[]>> = {};
    for (const backend of backends) {
      setBackend(backend);
      const outcome = run(trial.attempts(dtype));
      if (outcome === undefined) continue;
      found[backend].push(dtype);
      gradient[backend] ||= outcome.hasGradients;
      values[backend] = outcome.values;
      if (dtype === "float32" || results.size === 0) {
        for (const result of outcome.results) results.add(result);
      }
    }
    const { js, wasm } = values;
    js?.forEach((expected, i) => {
      if (wasm === undefined) return;
      const allowed = tolerance[dtype] ?? tolerance.float32!;
      const difference = largestDifference(wasm[i], expected, allowed, allowed);
      if (difference !== undefined) {
        throw new Error(`${name} of ${dtype}: on wasm, result ${i}: ${difference}, as on js.`);
      }
    });
  }
  return { dtypes: found, gradient, results };
}

interface Outcome {
  readonly values: readonly TypedArray[];
  readonly results: readonly DType[];
  readonly hasGradients: boolean;
}

/** The tests of operations run all cases. */
const enough = 2;

/** `Σ weight · output`: a plain sum has gradients that cancel where an output is normalized. */
function weightedSum(output: Tensor): Tensor {
  const weights = valuesOf(real(output.shape, 0.5, 1.5), 100);
  return output.mul(fromTypedArray(weights, [...output.shape], { dtype: output.dtype })).sum();
}

/** What can be computed, or `undefined` if nothing can. */
function run(attempts: readonly (() => Attempt)[]): Outcome | undefined {
  const values: TypedArray[] = [];
  const results: DType[] = [];
  let hasGradients = false;
  let successes = 0;
  for (const attempt of attempts) {
    try {
      const { outputs, inputs } = attempt();
      const losses = outputs.filter(({ requiresGrad }) => requiresGrad).map(weightedSum);
      if (losses.length > 0) losses.reduce((a, b) => a.add(b)).backward();
      const gradients = inputs.flatMap(({ grad }) => grad ?? []);
      const all: Tensor[] = [...outputs, ...gradients];
      realize(...all);
      values.push(...all.map((tensor) => tensor.dataSync()));
      results.push(...outputs.map(({ dtype }) => dtype));
      hasGradients ||= gradients.length > 0;
      if (++successes === enough) break;
    } catch (error) {
      if (!(error instanceof GradloomError)) throw error;
    }
  }
  return successes > 0 ? { values, results, hasGradients } : undefined;
}
