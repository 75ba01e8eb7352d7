/** The element types of tensors. A `bool` is stored as one byte, 0 or 1. */
export type DType = "float32" | "float64" | "int32" | "uint8" | "bool";

/** An array on the JavaScript heap that holds elements of some {@link DType}. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Bytes of one element. */
export const byteSize: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} satisfies Record<DType, new (length: number) => TypedArray>;

/** A new array of zeros for `length` elements. */
export function createArray(dtype: DType, length: number): TypedArray {
  return new arrays[dtype](length);
}

/** The bytes of a buffer, from `byteOffset` on, seen as `length` elements. */
export function viewArray(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArray {
  return new arrays[dtype](buffer as ArrayBuffer, byteOffset, length);
}

/** Whether elements have a fractional part. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The least and the greatest value of each dtype. */
export const extremes: Readonly<Record<DType, readonly [least: number, greatest: number]>> = {
  float32: [-Infinity, Infinity],
  float64: [-Infinity, Infinity],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  bool: [0, 1],
};
