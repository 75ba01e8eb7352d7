import { type Context, malformed, quote } from "./checkpoint-error.ts";
import { elementsOf, type StoredType, storedTypes } from "./element-type.ts";
import { isObject, parseJson } from "./json.ts";

/** What a safetensors file says of one tensor. */
export interface SafetensorsEntry {
  /** As in the file: `"F32"`, `"BF16"`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes begin and end, counted from the end of the header. */
  readonly dataOffsets: readonly [number, number];
}

/** What a safetensors file says of itself. */
export interface SafetensorsHeader {
  /** By name, in the order of the file's header. */
  readonly tensors: Readonly<Record<string, SafetensorsEntry>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes that the length of the header takes. */
export const lengthBytes = 8;

/** The largest header that the format allows. */
const maxHeaderBytes = 100_000_000;

/** How wide the element types of the format are. Those that no tensor of ours can hold can be inspected. */
const bytesOf: ReadonlyMap<string, number> = new Map([
  ...Object.entries(storedTypes).map(([name, { bytes }]) => [name, bytes] as const),
  ...(["U64", "C64"] as const).map((name) => [name, 8] as const),
  ["U32", 4],
  ...(["F8_E4M3", "F8_E5M2", "F8_E8M0"] as const).map((name) => [name, 1] as const),
]);

/** What is loaded. Small integers of other widths are left out: their dtype would change silently. */
const readable: readonly StoredType[] = ["F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL"];

/** How long the header is. @throws CheckpointError if that cannot be. */
export function headerLength(context: Context, first: Uint8Array, size: number): number {
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const length = view.getBigUint64(0, true);
  if (length <= maxHeaderBytes && length <= size - lengthBytes) return Number(length);
  const most = Math.min(maxHeaderBytes, size - lengthBytes);
  throw malformed(context, `the header must have at most ${most} bytes, got ${length}`);
}

/**
 * Reads and checks a header: each tensor has as many bytes as its shape and type say, and together they cover the
 * data without holes and without overlap.
 */
export function parseHeader(
  context: Context,
  bytes: Uint8Array,
  dataBytes: number,
): SafetensorsHeader {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(context, "the header must be UTF-8, got other bytes");
  }
  const header = parseJson(context, "the header", text);
  if (!isObject(header) || !text.startsWith("{")) {
    throw malformed(context, "the header must be an object and start with {, got something else");
  }
  const { __metadata__ = {}, ...rest } = header;
  const tensors = Object.entries(rest).map(
    ([name, value]) => [name, parseEntry(context, name, value)] as const,
  );
  checkCoverage(context, tensors, dataBytes);
  return { tensors: Object.fromEntries(tensors), metadata: parseMetadata(context, __metadata__) };
}

function parseMetadata(context: Context, value: unknown): Readonly<Record<string, string>> {
  const isRight = (v: unknown): v is Readonly<Record<string, string>> =>
    isObject(v) && Object.values(v).every((entry) => typeof entry === "string");
  if (isRight(value)) return value;
  throw malformed(context, "__metadata__ must be an object of strings, got something else");
}

function parseEntry(context: Context, name: string, value: unknown): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : {};
  const isWhole = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const isRight =
    typeof dtype === "string" &&
    Array.isArray(shape) &&
    shape.every(isWhole) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isWhole);
  if (!isRight) {
    throw malformed(
      context,
      `${quote(name)} must have dtype, shape and data_offsets, got ${quote(JSON.stringify(value))}`,
    );
  }
  const width = bytesOf.get(dtype);
  if (width === undefined) {
    throw malformed(context, `the dtype of ${quote(name)} must be known, got ${quote(dtype)}`);
  }
  const bytes = elementsOf(context, name, shape) * width;
  const [begin, end] = offsets;
  if (end - begin !== bytes) {
    throw malformed(
      context,
      `${quote(name)} must have ${bytes} bytes for ${dtype} [${shape.join(", ")}], got ${end - begin} from data_offsets [${begin}, ${end}]`,
    );
  }
  return { dtype, shape, dataOffsets: [begin, end] };
}

function checkCoverage(
  context: Context,
  tensors: readonly (readonly [string, SafetensorsEntry])[],
  dataBytes: number,
): void {
  let covered = 0;
  for (const [name, { dataOffsets }] of inOrder(tensors)) {
    const [begin, end] = dataOffsets;
    if (begin !== covered) {
      const what = begin < covered ? "an overlap" : "a hole";
      throw malformed(
        context,
        `the data must be covered without holes and overlaps, got ${what} before ${quote(name)}: it begins at ${begin} instead of ${covered}`,
      );
    }
    covered = end;
  }
  if (covered === dataBytes) return;
  throw malformed(
    context,
    `the file must have ${covered} bytes of data behind its header, as the header says, got ${dataBytes}`,
  );
}

/** Tensors in the order of their bytes. */
export function inOrder(
  tensors: readonly (readonly [string, SafetensorsEntry])[],
): (readonly [string, SafetensorsEntry])[] {
  return [...tensors].sort(([, { dataOffsets: a }], [, { dataOffsets: b }]) => {
    return a[0] - b[0] || a[1] - b[1];
  });
}

/** @throws CheckpointError if no tensor of ours can hold the elements. */
export function readableType(context: Context, name: string, dtype: string): StoredType {
  const type = readable.find((known) => known === dtype);
  if (type !== undefined) return type;
  throw malformed(
    context,
    `the dtype of ${quote(name)} must be one of ${readable.join(", ")}, got ${dtype}. Convert it before saving`,
  );
}
