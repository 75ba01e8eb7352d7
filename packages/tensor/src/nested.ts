import { createArray, type DType, isFloat, type TypedArray } from "@gradloom/engine";
import { argumentError, describe, shapeError } from "./errors.ts";
import { requireDType } from "./promote.ts";
import { sizeOf } from "./shape.ts";

/** What a tensor can be made of: a number or boolean, a typed array, or equally long arrays of such. */
export type TensorData = number | boolean | DataArray | readonly TensorData[];

/** The typed arrays that {@link TensorData} may contain. */
export type DataArray =
  | TypedArray
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array
  | Uint32Array;

/** Numbers in arrays in arrays, as deep as a tensor has axes. */
export type NestedNumbers = number | NestedNumbers[];

/** A row-major array and how to see it. */
interface Flat {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

const maxDepth = 32;

/**
 * Nested data as one new array in row-major order. Without `dtype`: numbers are float32, booleans
 * bool, typed arrays what they are (the 8- and 16-bit integers int32, but `Uint8Array` and
 * `Uint8ClampedArray` uint8).
 *
 * @throws ShapeError if arrays are ragged. ArgumentError if an entry is not numeric, kinds of entries
 * are mixed, or a value does not fit into an integer `dtype`.
 */
export function flatten(data: TensorData, dtype?: DType, op = "tensor"): Flat {
  const path: number[] = [];
  const message = (what: string, got: string) => `${op}: ${what}, got ${got}${at(path)}.`;
  const uneven = (what: string, first: string, got: string) =>
    shapeError`${message(what, `${first}${at(path.map(() => 0))} and ${got}`)}`;

  const { shape, first } = measure(data, op);
  const kind = kindOf(first) ?? "number";
  const target = dtype ?? dtypeOf(first);
  requireDType(op, target);
  const flat = createArray(target, sizeOf(shape));
  let position = 0;

  const put = (value: number) => {
    const whole = Math.trunc(value);
    const limits = target === "int32" ? whole | 0 : target === "uint8" ? whole & 255 : whole;
    // NaN is never equal to itself: as an integer it is refused, as a float it fits.
    if (limits !== whole && !isFloat(target) && target !== "bool") {
      throw argumentError`${message(`a value must fit into ${target}`, `${value}`)} Give another dtype.`;
    }
    flat[position++] = target === "bool" ? Number(value !== 0) : value;
  };

  const visit = (entry: unknown) => {
    const axis = path.length;
    if (axis === shape.length && typeof entry === kind) return put(Number(entry));
    const isTyped = isDataArray(entry);
    const isList = isTyped || Array.isArray(entry);
    if (!Array.isArray(entry) && kindOf(entry) !== kind) {
      if (kindOf(entry) !== undefined) {
        throw argumentError`${message("entries must be of one kind", `${kind} first and ${kindOf(entry)}`)}`;
      }
      const rule = "entries must be numbers, booleans or typed arrays";
      throw argumentError`${message(rule, describe(entry))}${wayOut(entry)}`;
    }
    const isDeep = axis < shape.length;
    if (isList !== isDeep || (isTyped && axis < shape.length - 1)) {
      const expected = isDeep ? "an array" : `a ${kind}`;
      throw uneven("entries must be nested equally deep", expected, describe(entry));
    }
    if (!isList) return put(Number(entry));
    const { length } = entry;
    if (length !== shape[axis]) {
      throw uneven("arrays must be equally long", `${shape[axis]} entries`, `${length}`);
    }
    if (isTyped && isFloat(target)) {
      flat.set(entry, position);
      position += length;
      return;
    }
    for (let i = 0; i < length; i++) {
      path.push(i);
      if (isTyped) put(entry[i]);
      else visit(entry[i]);
      path.pop();
    }
  };
  visit(data);
  return { data: flat, shape, dtype: target };
}

/** Sizes along the first entry of each level, and the first entry that is a number or a typed array. */
function measure(data: unknown, op: string): { shape: number[]; first: unknown } {
  const shape: number[] = [];
  let first = data;
  while (Array.isArray(first)) {
    if (shape.length === maxDepth) {
      throw shapeError`${op}: arrays must be nested at most ${maxDepth} deep, got more.`;
    }
    shape.push(first.length);
    if (first.length === 0) return { shape, first: 0 };
    first = first[0];
  }
  if (isDataArray(first)) shape.push(first.length);
  return { shape, first };
}

/** What all numbers must be: `"number"`, `"boolean"`, `"Float32Array"`, …; `undefined` if it is none. */
function kindOf(entry: unknown): string | undefined {
  // Subclasses such as Node's `Buffer` count as what they extend.
  if (isDataArray(entry)) return entry[Symbol.toStringTag];
  return typeof entry === "number" || typeof entry === "boolean" ? typeof entry : undefined;
}

/** The dtype that holds the values of a number or a typed array. */
export function dtypeOf(entry: unknown): DType {
  if (typeof entry === "boolean") return "bool";
  if (entry instanceof Float64Array) return "float64";
  if (entry instanceof Uint8Array || entry instanceof Uint8ClampedArray) return "uint8";
  return isDataArray(entry) && !(entry instanceof Float32Array) ? "int32" : "float32";
}

function isDataArray(value: unknown): value is DataArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  );
}

/** Row-major data as nested arrays; a single number for a shape without axes. */
export function unflatten(data: TypedArray, shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return data[0];
  let position = 0;
  const build = (axis: number): NestedNumbers[] => {
    const size = shape[axis];
    if (axis === shape.length - 1) {
      position += size;
      return Array.from(data.subarray(position - size, position));
    }
    return Array.from({ length: size }, () => build(axis + 1));
  };
  return build(0);
}

function at(path: readonly number[]): string {
  return path.length === 0 ? "" : ` at [${path.join("][")}]`;
}

function wayOut(value: unknown): string {
  if (typeof value === "bigint" || value instanceof BigInt64Array) {
    return " Convert it with Number(…).";
  }
  const { shape } = (value ?? {}) as { shape?: unknown };
  return shape !== undefined ? " Join tensors with stack([…])." : "";
}
