import type { Tensor } from "@gradloom/tensor";
import { type ByteSink, writeAtomically } from "./atomic-file.ts";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { guarded, malformed, quote } from "./checkpoint-error.ts";
import { asItIs, byteLengthOf, tensorBytes } from "./element-type.ts";
import { memorySink } from "./memory-sink.ts";
import { namedTensors } from "./named-tensors.ts";
import { npyHeader, readNpy } from "./npy.ts";
import { readEntry, readZip } from "./zip-reader.ts";
import { ZipWriter } from "./zip-writer.ts";

/**
 * Reads arrays that NumPy has saved with `np.savez` or `np.savez_compressed`, by name. Element types are those of
 * {@link loadNpy}.
 *
 * @throws CheckpointError if the file cannot be read, is damaged, or holds what no tensor can.
 *
 * @example
 * ```ts
 * const { x, y } = await loadNpz("data.npz");
 * ```
 */
export function loadNpz(path: string): Promise<Record<string, Tensor>> {
  return withFile("loadNpz", path, readNpz);
}

/** {@link loadNpz} for bytes in memory, also in browsers. */
export async function decodeNpz(bytes: Uint8Array): Promise<Record<string, Tensor>> {
  return readNpz(memorySource("decodeNpz", bytes));
}

/**
 * Writes tensors as arrays that `np.load` reads, one after the other. The file is replaced as a whole: see
 * {@link saveCheckpoint}.
 *
 * @throws ArgumentError if a value is not a tensor. CheckpointError if the file cannot be written; the old one, if there is
 *   one, is unchanged.
 *
 * @example
 * ```ts
 * await saveNpz("data.npz", { x, y });
 * ```
 */
export function saveNpz(path: string, arrays: Readonly<Record<string, Tensor>>): Promise<void> {
  return writeAtomically("saveNpz", path, (sink) => writeNpz("saveNpz", sink, arrays));
}

/** The bytes of an npz file, also in browsers. @throws ArgumentError if a value is not a tensor. */
export async function encodeNpz(arrays: Readonly<Record<string, Tensor>>): Promise<Uint8Array> {
  const { sink, bytes } = memorySink();
  await writeNpz("encodeNpz", sink, arrays);
  return bytes();
}

async function writeNpz(
  op: string,
  sink: ByteSink,
  arrays: Readonly<Record<string, Tensor>>,
): Promise<void> {
  const files = namedTensors(op, arrays).map(([name, tensor]) => {
    return { name, header: npyHeader(tensor), tensor: asItIs(tensor) };
  });
  const zip = new ZipWriter(sink);
  for (const { name, header, tensor } of files) {
    const size = header.byteLength + byteLengthOf(tensor);
    await zip.add(`${name}.npy`, size, npyParts(header, tensor));
  }
  await zip.finish();
}

async function* npyParts(header: Uint8Array, tensor: Tensor): AsyncGenerator<Uint8Array> {
  yield header;
  yield* tensorBytes(tensor);
}

function readNpz(source: ByteSource): Promise<Record<string, Tensor>> {
  return guarded(source, async () => {
    const arrays: [string, Tensor][] = [];
    for (const [file, entry] of await readZip(source)) {
      if (!file.endsWith(".npy")) {
        throw malformed(source, `an npz file must hold npy files only, got ${quote(file)}`);
      }
      const contents = memorySource(source.op, await readEntry(source, entry));
      const context = source.path === undefined ? {} : { path: `${source.path}/${file}` };
      arrays.push([file.slice(0, -".npy".length), await readNpy({ ...contents, ...context })]);
    }
    return Object.fromEntries(arrays);
  });
}
