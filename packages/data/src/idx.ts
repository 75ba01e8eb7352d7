import { type DataArray, type DType, fromTypedArray, type Tensor } from "@gradloom/tensor";
import { requireBytes } from "./argument.ts";
import { type Context, malformed, readBytes } from "./files.ts";
import { gunzipped } from "./gzip.ts";

/**
 * Reads an IDX file, the format of MNIST, also gzipped: `train-images-idx3-ubyte.gz` becomes uint8 `[60000, 28, 28]`.
 * Integers of 8 and 16 bits are int32, unsigned bytes uint8.
 *
 * @throws DataError if the file cannot be read, is cut off, or is no IDX file.
 *
 * @example
 * ```ts
 * const pictures = await loadIdx("train-images-idx3-ubyte.gz");
 * const labels = await loadIdx("train-labels-idx1-ubyte.gz");
 * const dataset = new TensorDataset(pictures.to("float32").div(255).unsqueeze(1), labels.to("int32"));
 * ```
 */
export async function loadIdx(path: string): Promise<Tensor> {
  return readIdx({ op: "loadIdx", path }, await readBytes("loadIdx", path));
}

/** {@link loadIdx} for bytes in memory, also in browsers. */
export async function decodeIdx(bytes: Uint8Array): Promise<Tensor> {
  requireBytes("decodeIdx", bytes);
  return readIdx({ op: "decodeIdx" }, bytes);
}

interface ElementType {
  readonly bytes: number;
  readonly dtype: DType;
  read(view: DataView, at: number): number;
}

/** The third byte of the file says what the elements are; they are big-endian. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  8: { bytes: 1, dtype: "uint8", read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, dtype: "int32", read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, dtype: "float32", read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, dtype: "float64", read: (view, at) => view.getFloat64(at) },
};

async function readIdx(context: Context, given: Uint8Array): Promise<Tensor> {
  const bytes = await gunzipped(context, given);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = elementTypes[bytes[2]];
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || type === undefined) {
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
    throw malformed(
      context,
      `the file must begin with 00 00 and the type of an IDX file, got ${start.join(" ") || "nothing"}`,
    );
  }
  const axes = bytes[3];
  const header = 4 + 4 * axes;
  if (bytes.length < header) {
    throw malformed(
      context,
      `a header of ${axes} axes must have ${header} bytes, got ${bytes.length}`,
    );
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== header + count * type.bytes) {
    throw malformed(
      context,
      `[${shape.join(", ")}] must be followed by ${count * type.bytes} bytes, got ${bytes.length - header}`,
    );
  }
  const data: DataArray =
    type.dtype === "uint8"
      ? bytes.subarray(header)
      : Float64Array.from({ length: count }, (_, i) => type.read(view, header + i * type.bytes));
  return fromTypedArray(data, shape, { dtype: type.dtype });
}
