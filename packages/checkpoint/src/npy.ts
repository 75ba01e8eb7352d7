import type { Tensor } from "@gradloom/tensor";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { type Context, guarded, malformed, quote } from "./checkpoint-error.ts";
import { elementsOf, readTensor, type StoredType, storedTypes } from "./element-type.ts";

/** NumPy's names of element types: little-endian, or without order. */
const storedTypeOf: Readonly<Record<string, StoredType>> = {
  "<f8": "F64",
  "<f4": "F32",
  "<f2": "F16",
  "<i8": "I64",
  "<i4": "I32",
  "<i2": "I16",
  "|i1": "I8",
  "<u2": "U16",
  "|u1": "U8",
  "|b1": "BOOL",
};

const numpyName = {
  float64: "<f8",
  float32: "<f4",
  int32: "<i4",
  uint8: "|u1",
  bool: "|b1",
} as const;

const magic = [0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0))];
const maxHeaderBytes = 1_000_000;

/**
 * Reads an array that NumPy has saved. float16 becomes float32; int64, int16, int8 and uint16 become int32; arrays in
 * Fortran's order are turned round.
 *
 * - Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @throws CheckpointError if the file cannot be read, is damaged, or holds what no tensor can: objects, complex numbers, a
 *   64-bit integer that does not fit into int32.
 *
 * @example
 * ```ts
 * const x = await loadNpy("features.npy");
 * ```
 */
export function loadNpy(path: string): Promise<Tensor> {
  return withFile("loadNpy", path, readNpy);
}

/** {@link loadNpy} for bytes in memory, also in browsers. */
export async function decodeNpy(bytes: Uint8Array): Promise<Tensor> {
  return readNpy(memorySource("decodeNpy", bytes));
}

/** What comes before the numbers of a tensor in an npy file. */
export function npyHeader({ shape: sizes, dtype }: Tensor): Uint8Array {
  const shape = sizes.length === 1 ? `${sizes[0]},` : sizes.join(", ");
  const text = `{'descr': '${numpyName[dtype]}', 'fortran_order': False, 'shape': (${shape}), }`;
  // The data begins at a multiple of 64.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  return Uint8Array.from([...magic, 1, 0, length & 255, length >> 8, ...header]);
}

/** Reads a source that is an npy file. */
export function readNpy(source: ByteSource): Promise<Tensor> {
  return guarded(source, async () => {
    if (source.size < 12) throw notNpy(source);
    const start = await source.read(0, 12);
    if (!magic.every((byte, i) => byte === start[i])) throw notNpy(source);
    const view = new DataView(start.buffer);
    const isOld = start[6] === 1;
    const headerStart = isOld ? 10 : 12;
    const length = isOld ? view.getUint16(8, true) : view.getUint32(8, true);
    if (start[6] < 1 || start[6] > 3 || length > maxHeaderBytes) throw notNpy(source);
    const dataStart = headerStart + length;
    if (dataStart > source.size) {
      throw malformed(source, `the header must have ${length} bytes, got the end of the file`);
    }
    const header = await source.read(headerStart, length);
    const { type, isFortran, shape } = parseNpyHeader(source, new TextDecoder().decode(header));
    const wanted = elementsOf(source, "the array", shape) * storedTypes[type].bytes;
    if (source.size - dataStart !== wanted) {
      throw malformed(
        source,
        `the file must have ${wanted} bytes of data for its shape, got ${source.size - dataStart}`,
      );
    }
    const bytes = await source.read(dataStart, wanted);
    if (!isFortran) return readTensor(source, "the array", type, shape, bytes);
    const turned = readTensor(source, "the array", type, [...shape].reverse(), bytes);
    return turned.permute(shape.map((_, axis) => shape.length - 1 - axis));
  });
}

/** The header is a dictionary in Python's notation, always with the same three keys. */
function parseNpyHeader(
  context: Context,
  text: string,
): { readonly type: StoredType; readonly isFortran: boolean; readonly shape: readonly number[] } {
  const descr = /'descr': *'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const shape = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1];
  if (order === undefined || shape === undefined) {
    throw malformed(
      context,
      `the header must have descr, fortran_order and shape, got ${quote(text)}`,
    );
  }
  if (descr === undefined || !Object.hasOwn(storedTypeOf, descr)) {
    const known = Object.keys(storedTypeOf).join(", ");
    throw malformed(
      context,
      `the element type must be one of ${known}, got ${descr === undefined ? "a structure" : quote(descr)}`,
    );
  }
  const sizes = shape.split(",").filter((size) => size.trim() !== "");
  return { type: storedTypeOf[descr], isFortran: order === "True", shape: sizes.map(Number) };
}

function notNpy(context: Context): Error {
  return malformed(context, "the file must be an npy file of version 1, 2 or 3, got another one");
}
