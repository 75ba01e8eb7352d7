import { ArgumentError } from "@gradloom/tensor";
import { type Context, malformed } from "./checkpoint-error.ts";
import { fileError, nodeFiles } from "./node-files.ts";

/** Bytes that are read piece by piece: a file, or what is in memory. */
export interface ByteSource extends Context {
  readonly size: number;
  /** Fills an array of its own; all of it lies in the source. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A source of bytes in memory. */
export function memorySource(op: string, bytes: Uint8Array): ByteSource {
  if (!(bytes instanceof Uint8Array)) {
    const hint = Object(bytes) instanceof ArrayBuffer ? " Pass new Uint8Array(buffer)." : "";
    throw new ArgumentError(
      `${op}: the bytes must be a Uint8Array, got ${Object.prototype.toString.call(bytes)}.${hint}`,
      { op },
    );
  }
  return {
    op,
    size: bytes.byteLength,
    // A copy is aligned, and what is made of it shares nothing with the caller.
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  };
}

/** The most that is asked of the system in one call. */
const pieceBytes = 2 ** 28;

/** Opens a file, hands it on as a source, and closes it in any case. */
export async function withFile<T>(
  op: string,
  path: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const attempt = async <R>(call: Promise<R>): Promise<R> => {
    try {
      return await call;
    } catch (error) {
      throw fileError(op, path, error);
    }
  };
  const file = await attempt(nodeFiles(op).open(path, "r"));
  try {
    const stat = await attempt(file.stat());
    if (!stat.isFile())
      throw malformed({ op, path }, "the path must lead to a file, got a folder or device");
    return await use({
      op,
      path,
      size: stat.size,
      read: async (offset, length) => {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const wanted = Math.min(length - done, pieceBytes);
          const { bytesRead } = await attempt(file.read(bytes, done, wanted, offset + done));
          if (bytesRead === 0) {
            throw malformed(
              { op, path },
              `the file must have ${stat.size} bytes, got its end early`,
            );
          }
          done += bytesRead;
        }
        return bytes;
      },
    });
  } finally {
    await file.close();
  }
}
