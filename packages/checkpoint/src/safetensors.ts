import { ArgumentError, checkOptions, type Tensor } from "@gradloom/tensor";
import { writeAtomically } from "./atomic-file.ts";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { guarded, malformed } from "./checkpoint-error.ts";
import {
  asItIs,
  byteLengthOf,
  readTensor,
  storedAs,
  storedTypes,
  tensorBytes,
} from "./element-type.ts";
import { memorySink } from "./memory-sink.ts";
import { namedTensors } from "./named-tensors.ts";
import {
  headerLength,
  inOrder,
  lengthBytes,
  parseHeader,
  readableType,
  type SafetensorsHeader,
} from "./safetensors-header.ts";

/** Tensors by name: what `module.stateDict()` gives and `module.loadStateDict()` takes. */
export type StateDict = Record<string, Tensor>;

/** Options of {@link saveSafetensors}. */
export interface SafetensorsOptions {
  /** Texts that are stored with the tensors. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors in the safetensors format, part by part, so that there is no second copy of any in memory. The file is
 * replaced as a whole: see {@link saveCheckpoint}. Wait for it before the tensors change.
 *
 * - Source: https://huggingface.co/docs/safetensors
 *
 * @throws ArgumentError if a value is not a tensor, or a metadata value not a string. CheckpointError if the file cannot
 *   be written; the old one, if there is one, is unchanged.
 *
 * @example
 * ```ts
 * await saveSafetensors("model.safetensors", model.stateDict(), { metadata: { format: "pt" } });
 * ```
 */
export async function saveSafetensors(
  path: string,
  stateDict: Readonly<Record<string, Tensor>>,
  options: SafetensorsOptions = {},
): Promise<void> {
  checkOptions("saveSafetensors", options, { metadata: true });
  const { header, tensors } = plan("saveSafetensors", stateDict, options.metadata);
  await writeAtomically("saveSafetensors", path, async (sink) => {
    await sink.append(header);
    for (const tensor of tensors)
      for await (const part of tensorBytes(tensor)) await sink.append(part);
  });
}

/**
 * The bytes of a safetensors file, also in browsers.
 *
 * @throws ArgumentError if a value is not a tensor, or a metadata value not a string.
 */
export async function encodeSafetensors(
  stateDict: Readonly<Record<string, Tensor>>,
  options: SafetensorsOptions = {},
): Promise<Uint8Array> {
  checkOptions("encodeSafetensors", options, { metadata: true });
  const { header, tensors } = plan("encodeSafetensors", stateDict, options.metadata);
  const { sink, bytes } = memorySink();
  await sink.append(header);
  for (const tensor of tensors)
    for await (const part of tensorBytes(tensor)) await sink.append(part);
  return bytes();
}

/**
 * Reads a safetensors file, one tensor after the other. F16 and BF16 become float32, I64 becomes int32.
 *
 * @returns the tensors by name, in the order of the file's header.
 * @throws CheckpointError if the file cannot be read, is damaged, or holds what no tensor can: another dtype, or a
 *   64-bit integer that does not fit into int32.
 *
 * @example
 * ```ts
 * model.loadStateDict(await loadSafetensors("model.safetensors"));
 * ```
 */
export function loadSafetensors(path: string): Promise<StateDict> {
  return withFile("loadSafetensors", path, readAll);
}

/** {@link loadSafetensors} for bytes in memory, also in browsers. */
export async function decodeSafetensors(bytes: Uint8Array): Promise<StateDict> {
  return readAll(memorySource("decodeSafetensors", bytes));
}

/**
 * Names, dtypes, shapes and metadata of a safetensors file. Only its header is read, so dtypes that cannot be loaded can
 * be seen.
 *
 * @throws CheckpointError if the file cannot be read, or its header is damaged or does not fit its size.
 *
 * @example
 * ```ts
 * const { tensors, metadata } = await inspectSafetensors("model.safetensors");
 * console.log(tensors["fc.weight"].shape, metadata.format);
 * ```
 */
export function inspectSafetensors(path: string): Promise<SafetensorsHeader> {
  return withFile("inspectSafetensors", path, async (source) => (await readHeader(source)).header);
}

async function readAll(source: ByteSource): Promise<StateDict> {
  const { header, dataStart } = await readHeader(source);
  return readTensors(source, header, dataStart);
}

/** A header, and where the data begins behind it. */
export interface PlacedHeader {
  readonly header: SafetensorsHeader;
  readonly dataStart: number;
  /** The length and the header as they are in the file. */
  readonly bytes: Uint8Array;
}

/** Reads the header of a safetensors file, and checks it. */
export function readHeader(source: ByteSource): Promise<PlacedHeader> {
  return guarded(source, async () => {
    if (source.size < lengthBytes) {
      throw malformed(source, `a safetensors file must have at least 8 bytes, got ${source.size}`);
    }
    const length = headerLength(source, await source.read(0, lengthBytes), source.size);
    const dataStart = lengthBytes + length;
    const bytes = await source.read(0, dataStart);
    const header = parseHeader(source, bytes.subarray(lengthBytes), source.size - dataStart);
    return { header, dataStart, bytes };
  });
}

/** Reads the tensors behind a header. `look` sees all their bytes, in the order of the file. */
export function readTensors(
  source: ByteSource,
  { tensors }: SafetensorsHeader,
  dataStart: number,
  look: (bytes: Uint8Array) => void = () => {},
): Promise<StateDict> {
  return guarded(source, async () => {
    const entries = Object.entries(tensors);
    const types = new Map(
      entries.map(([name, { dtype }]) => [name, readableType(source, name, dtype)]),
    );
    const loaded = new Map<string, Tensor>();
    for (const [name, { shape, dataOffsets }] of inOrder(entries)) {
      const [begin, end] = dataOffsets;
      const bytes = await source.read(dataStart + begin, end - begin);
      look(bytes);
      loaded.set(name, readTensor(source, name, types.get(name)!, shape, bytes));
    }
    return Object.fromEntries(entries.map(([name]) => [name, loaded.get(name)!]));
  });
}

/** The header for tensors, and the tensors in the order of their bytes. */
export function plan(
  op: string,
  stateDict: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): { readonly header: Uint8Array; readonly tensors: readonly Tensor[] } {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw new ArgumentError(`${op}: metadata must be strings, got ${typeof value} as ${key}.`, {
      op,
    });
  }
  const entries = namedTensors(op, stateDict);
  if (Object.hasOwn(stateDict, "__metadata__")) {
    throw new ArgumentError(
      `${op}: tensors must have other names, got one as __metadata__. Pass it as the option metadata.`,
      { op },
    );
  }
  const width = ({ dtype }: Tensor) => storedTypes[storedAs[dtype]].bytes;
  // Wide elements first, so that each tensor begins at a multiple of its element's size.
  const placed = [...entries].sort(([, a], [, b]) => width(b) - width(a));
  let end = 0;
  const described = new Map<string, object>();
  for (const [name, tensor] of placed) {
    const begin = end;
    end += byteLengthOf(tensor);
    described.set(name, {
      dtype: storedAs[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [begin, end],
    });
  }
  const head = Object.keys(metadata).length > 0 ? [["__metadata__", metadata] as const] : [];
  const named = entries.map(([name]) => [name, described.get(name)] as const);
  return {
    header: withLength(JSON.stringify(Object.fromEntries([...head, ...named]))),
    tensors: placed.map(([, tensor]) => asItIs(tensor)),
  };
}

/** A header with its length before it, filled up so that the data is aligned. */
function withLength(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, lengthBytes);
  return bytes;
}
