import { createArray, type DType, isFloat, philox, type TypedArray } from "@gradloom/engine";
import type { Draw } from "./draw.ts";
import { limits } from "./random-expression.ts";

/**
 * What is in a buffer: zeros; floats between -4 and 4 or integers of all sizes (`plain`); few different
 * small values, so that equal ones meet (`coarse`); infinities, NaN and other edges among them
 * (`special`).
 */
export interface Filling {
  readonly kind: "zero" | "plain" | "coarse" | "special";
  readonly seed: number;
}

export function drawContent(
  draw: Draw,
  dtype: DType,
): { filling: Filling; low: number; high: number } {
  const kind = draw.pick(["plain", "plain", "coarse", "coarse", "special"] as const);
  const seed = draw.int(1, 1e6);
  const [low, high] = isFloat(dtype) && kind !== "special" ? [-4, 4] : limits(dtype);
  return { filling: { kind, seed }, low, high };
}

const specials: readonly number[] = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1e-40,
  -1e30,
  1e30,
  2.5,
  -0.5,
  3e9,
  -3e9,
  16777217,
];

export function createContent(
  dtype: DType,
  length: number,
  { kind, seed }: Filling,
  stream: number,
): TypedArray {
  const array = createArray(dtype, length);
  if (kind === "zero") return array;
  for (let i = 0; i < length; i++) {
    const bits = philox(i, stream, seed, 0, 0);
    const few = (bits >>> 8) % 9;
    if (dtype === "bool") array[i] = bits & 1;
    else if (!isFloat(dtype)) array[i] = kind === "plain" ? bits : few - 4;
    else if (kind === "special" && (bits & 3) === 0) array[i] = specials[(bits >>> 8) % 13];
    else if (kind === "coarse") array[i] = (few - 4) / 2;
    else array[i] = bits / 2 ** 29;
  }
  return array;
}
