import { type DType, fromTypedArray, Tensor, type TypedArray } from "@gradloom/tensor";
import { type Context, malformed, quote } from "./checkpoint-error.ts";

/** How numbers are stored in files, by safetensors' names. All are little-endian. */
export type StoredType =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U16"
  | "U8"
  | "BOOL";

interface Rule {
  readonly bytes: number;
  readonly dtype: DType;
  /** The numbers in the bytes, which are an array of their own. */
  readonly read: (bytes: Uint8Array<ArrayBuffer>, refuse: Refuse) => TypedArray;
}

type Refuse = (value: bigint) => Error;

/** Each stored type, and which of ours holds all of its numbers. */
export const storedTypes: Readonly<Record<StoredType, Rule>> = {
  F64: { bytes: 8, dtype: "float64", read: ({ buffer }) => new Float64Array(buffer) },
  F32: { bytes: 4, dtype: "float32", read: ({ buffer }) => new Float32Array(buffer) },
  F16: { bytes: 2, dtype: "float32", read: ({ buffer }) => fromHalf(new Uint16Array(buffer)) },
  BF16: { bytes: 2, dtype: "float32", read: ({ buffer }) => fromBfloat(new Uint16Array(buffer)) },
  I64: {
    bytes: 8,
    dtype: "int32",
    read: ({ buffer }, refuse) => fromLong(new BigInt64Array(buffer), refuse),
  },
  I32: { bytes: 4, dtype: "int32", read: ({ buffer }) => new Int32Array(buffer) },
  I16: { bytes: 2, dtype: "int32", read: ({ buffer }) => Int32Array.from(new Int16Array(buffer)) },
  I8: { bytes: 1, dtype: "int32", read: ({ buffer }) => Int32Array.from(new Int8Array(buffer)) },
  U16: { bytes: 2, dtype: "int32", read: ({ buffer }) => Int32Array.from(new Uint16Array(buffer)) },
  U8: { bytes: 1, dtype: "uint8", read: (bytes) => bytes },
  BOOL: { bytes: 1, dtype: "bool", read: (bytes) => bytes.map((byte) => (byte === 0 ? 0 : 1)) },
};

/** How our numbers are stored. */
export const storedAs: Readonly<Record<DType, StoredType>> = {
  float64: "F64",
  float32: "F32",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};

/** The most elements that a tensor has, and the most axes that a file may give it. */
const maxElements = 2 ** 31 - 1;
const maxAxes = 64;

/** How many elements a shape has. @throws CheckpointError unless it is one that a tensor can have. */
export function elementsOf(context: Context, name: string, shape: readonly number[]): number {
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  const count = shape.every(isSize) ? shape.reduce((product, size) => product * size, 1) : -1;
  // The product of the other sizes may be beyond what is exact, next to a size of 0.
  const others = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  const isPossible = others <= Number.MAX_SAFE_INTEGER && shape.length <= maxAxes;
  if (count >= 0 && count <= maxElements && isPossible) return count;
  throw malformed(
    context,
    `the shape of ${quote(name)} must have sizes of at least 0 and at most ${maxElements} elements, got ${quote(JSON.stringify(shape))}`,
  );
}

/** The numbers that are stored in bytes, which are an array of their own. */
export function readValues(
  context: Context,
  name: string,
  type: StoredType,
  bytes: Uint8Array<ArrayBuffer>,
): TypedArray {
  return storedTypes[type].read(bytes, (value) =>
    malformed(
      context,
      `64-bit integers must fit into int32, got ${value} in ${quote(name)}. Store it as int32 or float64`,
    ),
  );
}

/** The tensor that is stored in bytes, which are an array of their own. */
export function readTensor(
  context: Context,
  name: string,
  type: StoredType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): Tensor {
  const { dtype } = storedTypes[type];
  return fromTypedArray(readValues(context, name, type, bytes), shape, { dtype, copy: false });
}

/** How many elements are copied at once, so that a large tensor is not twice in memory. */
const partLength = 2 ** 21;

/** What a tensor is now, without a copy: reading it is a `StateError` once the tensor has changed. */
export function asItIs(tensor: Tensor): Tensor {
  return new Tensor(tensor.node);
}

/** The bytes of the numbers of a tensor, part by part. */
export async function* tensorBytes(value: Tensor): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < value.numel; start += partLength) {
    const end = Math.min(start + partLength, value.numel);
    const { buffer, byteOffset, byteLength } = await value.data({ start, end });
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/** How many bytes these are. */
export function byteLengthOf({ dtype, numel }: Tensor): number {
  return numel * storedTypes[storedAs[dtype]].bytes;
}

function fromLong(values: BigInt64Array, refuse: Refuse): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    result[i] = Number(values[i]);
    if (BigInt(result[i]) !== values[i]) throw refuse(values[i]);
  }
  return result;
}

function fromBfloat(values: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(values, (bits) => bits << 16).buffer);
}

/** By a table of all 65,536 values. */
function fromHalf(values: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => half(bits));
  const table = halves;
  return Float32Array.from(values, (bits) => table[bits]);
}

let halves: Float32Array | undefined;

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
