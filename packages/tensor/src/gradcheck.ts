import { GradloomError, isFloat, philox, type TypedArray } from "@gradloom/engine";
import { fromTypedArray, zeros } from "./create.ts";
import { settle } from "./engine.ts";
import { argumentError, pathTo } from "./errors.ts";
import type { Tensor } from "./tensor.ts";
import { grad } from "./transforms/grad.ts";

/** Options of {@link gradcheck}. */
export interface GradcheckOptions {
  /** Half the distance between the two points of a difference. Default: 1e-6. */
  readonly eps?: number;
  /** How far apart gradient and slope may be, absolutely. Default: 1e-5. */
  readonly atol?: number;
  /** How far apart they may be, relative to the slope. Default: 1e-3. */
  readonly rtol?: number;
}

/** What {@link gradcheck} checks: a function that always computes the same from the same tensors. */
export type Differentiable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** A gradient is not the slope of its function. */
export class GradcheckError extends GradloomError {
  override readonly name = "GradcheckError";
}

/** Larger inputs are checked along this many random directions instead of along each element. */
const maxElements = 64;
const numDirections = 8;

/** An input, as numbers. */
interface Point {
  readonly tensor: Tensor;
  readonly data: TypedArray;
  readonly isChecked: boolean;
}

/** A way to move one input, and how messages name it. */
interface Direction {
  readonly name: string;
  readonly step: (element: number) => number;
}

/**
 * Compares gradients with central differences in float64: along each element of an input, or along random
 * directions if it has more than 64. The floating inputs reach `fn` as float64. Checked are those that
 * require a gradient; if none does, all of them. What is differentiated is the sum of all outputs with
 * fixed random weights.
 *
 * @returns `true`; where a gradient is wrong, it throws.
 * @throws GradcheckError with the input, the place and both numbers where they differ most. ArgumentError if no
 * input is floating.
 */
export async function gradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<true> {
  await check("gradcheck", fn, await pointsOf("gradcheck", inputs), options);
  return true;
}

/**
 * {@link gradcheck} of the gradients of `fn`, as a function of the inputs and of the gradients with
 * respect to the outputs.
 */
export async function gradgradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<true> {
  const op = "gradgradcheck";
  const points = await pointsOf(op, inputs);
  const seeds = floatingOutputs(fn, leavesOf(points)).map((output, i) => {
    return { tensor: output, data: numbers(output.numel, 1 + i), isChecked: true };
  });
  const gradients: Differentiable = (...tensors) => {
    const leaves = tensors.slice(0, points.length);
    const loss = weighted(floatingOutputs(fn, leaves), tensors.slice(points.length));
    return gradientsOf(loss, leaves, true).filter((gradient) => gradient !== null);
  };
  await check(op, gradients, [...points, ...seeds], options);
  return true;
}

async function pointsOf(op: string, inputs: readonly Tensor[]): Promise<Point[]> {
  const asked = inputs.some((input) => input.requiresGrad);
  if (!inputs.some((input) => isFloat(input.dtype))) {
    throw argumentError`${op}: an input must be floating, got none that is.`;
  }
  return Promise.all(
    inputs.map(async (tensor) => {
      const data = await tensor.data();
      return isFloat(tensor.dtype)
        ? { tensor, data: Float64Array.from(data), isChecked: tensor.requiresGrad || !asked }
        : { tensor, data, isChecked: false };
    }),
  );
}

async function check(
  op: string,
  fn: Differentiable,
  points: readonly Point[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }: GradcheckOptions,
): Promise<void> {
  const leaves = leavesOf(points);
  const gradients = gradientsOf(weighted(floatingOutputs(fn, leaves)), leaves, false);
  settle(gradients.filter((gradient) => gradient !== null));
  let worst = { excess: 0, message: "" };
  for (let i = 0; i < points.length; i++) {
    if (!points[i].isChecked) continue;
    const analytic = await gradients[i]?.data();
    for (const direction of directionsOf(points[i])) {
      const slope = await slopeAlong(fn, points, i, direction, eps);
      let expected = 0;
      analytic?.forEach((value, element) => {
        expected += value * direction.step(element);
      });
      const allowed = atol + rtol * Math.abs(slope);
      const excess = Math.abs(expected - slope) / allowed;
      // Not `>`: a NaN on either side is worst of all.
      if (!(excess <= Math.max(1, worst.excess))) {
        const message =
          `${op}: the gradient of input ${i}${direction.name} must be the slope, got gradient ${expected} ` +
          `and slope ${slope}; they may differ by ${allowed}.`;
        worst = { excess: Number.isNaN(excess) ? Infinity : excess, message };
      }
    }
  }
  if (worst.message !== "") throw new GradcheckError(worst.message, { op });
}

/** Tensors to compute with; the checked ones require a gradient. */
function leavesOf(points: readonly Point[]): Tensor[] {
  return points.map(({ tensor, data, isChecked }) => {
    const dtype = isFloat(tensor.dtype) ? "float64" : tensor.dtype;
    return fromTypedArray(data, tensor.shape, { dtype, requiresGrad: isChecked });
  });
}

/** Those that could have a gradient, in order. */
function floatingOutputs(fn: Differentiable, leaves: Tensor[]): Tensor[] {
  return [fn(...leaves)].flat().filter((output) => isFloat(output.dtype));
}

/** By input; `null` where there is none, which means zero. */
function gradientsOf(
  loss: Tensor,
  leaves: readonly Tensor[],
  createGraph: boolean,
): (Tensor | null)[] {
  const checked = leaves.filter((leaf) => leaf.requiresGrad);
  if (!loss.requiresGrad) return leaves.map(() => null);
  const found = grad(loss, checked, { createGraph, allowUnused: true });
  return leaves.map((leaf) => (leaf.requiresGrad ? found[checked.indexOf(leaf)] : null));
}

function directionsOf({ tensor, data }: Point): Direction[] {
  if (data.length <= maxElements) {
    return Array.from(data, (_, position) => ({
      name: ` at ${pathTo(position, tensor.shape)}`,
      step: (element) => (element === position ? 1 : 0),
    }));
  }
  return Array.from({ length: numDirections }, (_, i) => {
    const steps = numbers(data.length, 100 + i).map((number) => number - 1);
    return { name: ` along random direction ${i}`, step: (element) => steps[element] };
  });
}

/** The difference of the weighted outputs on both sides of an input, divided by the distance. */
async function slopeAlong(
  fn: Differentiable,
  points: readonly Point[],
  moved: number,
  direction: Direction,
  eps: number,
): Promise<number> {
  const at = (distance: number) => {
    const leaves = leavesOf(
      points.map((point, i) => {
        if (i !== moved) return point;
        const data = Float64Array.from(point.data, (value, element) => {
          return value + distance * direction.step(element);
        });
        return { ...point, data };
      }),
    );
    const outputs = floatingOutputs(fn, leaves);
    settle(outputs);
    return outputs;
  };
  const above = at(eps);
  const below = at(-eps);
  // Differences first: far smaller than the values, they lose fewer digits in the sum.
  const change = weighted(above.map((output, i) => output.sub(below[i])));
  return (await change.item()) / (2 * eps);
}

/** One number of all outputs: the sum of their elements times weights; default: some that are always the same. */
function weighted(outputs: readonly Tensor[], weights?: readonly Tensor[]): Tensor {
  const sums = outputs.map((output, i) => {
    const weight = weights?.[i] ?? fromTypedArray(numbers(output.numel, 0), output.shape);
    return output.mul(weight).sum();
  });
  return sums.reduce((a, b) => a.add(b), zeros([], { dtype: "float64" }));
}

/** Random numbers in [0.5, 1.5), always the same. */
function numbers(length: number, stream: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    return 0.5 + (philox(i, stream, 0, 0, 0) >>> 0) / 2 ** 32;
  });
}
