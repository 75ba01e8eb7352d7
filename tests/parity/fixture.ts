import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, fromTypedArray, type Tensor } from "@gradloom/tensor";

/** A number as the fixtures hold it: JSON has no infinities and no NaN. */
export type Stored = number | "inf" | "-inf" | "nan";

/** A tensor as the fixtures hold it. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly Stored[];
  /** An input whose gradient is compared. */
  readonly grad?: true;
  /** The gradient of the loss with respect to this output. */
  readonly upstream?: readonly Stored[];
}

/** What every case of every family has. */
export interface Case {
  readonly op: string;
  readonly note?: string;
}

interface Family<C extends Case> {
  readonly torch: string;
  readonly recipe: string;
  readonly cases: readonly C[];
}

/** Reads the cases that `make_fixtures.py` has written for a family of operations. */
export function readFixtures<C extends Case>(family: string): readonly C[] {
  const path = join(import.meta.dirname, "fixtures", `${family}.json`);
  return (JSON.parse(readFileSync(path, "utf8")) as Family<C>).cases;
}

/** The number that stands for a stored one. */
export function decode(value: Stored): number {
  if (value === "inf") return Number.POSITIVE_INFINITY;
  if (value === "-inf") return Number.NEGATIVE_INFINITY;
  return value === "nan" ? Number.NaN : value;
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** The tensor that was stored; it asks for a gradient if the case compares one. */
export function restore(stored: StoredTensor): Tensor {
  return fill(stored, stored.data);
}

/** A tensor of the same shape and dtype with other values: the gradient of an output, say. */
export function fill(like: StoredTensor, values: readonly Stored[]): Tensor {
  const { dtype, shape, grad } = like;
  const data = arrays[dtype].from(values.map(decode));
  return fromTypedArray(data, [...shape], { dtype, requiresGrad: grad === true });
}
