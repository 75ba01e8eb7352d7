import type { ByteSink } from "./atomic-file.ts";

/** A sink that keeps the bytes in memory. */
export function memorySink(): { readonly sink: ByteSink; readonly bytes: () => Uint8Array } {
  const pieces: Uint8Array[] = [];
  const join = () => {
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    let end = 0;
    for (const piece of pieces) {
      all.set(piece, end);
      end += piece.byteLength;
    }
    pieces.splice(0, pieces.length, all);
    return all;
  };
  return {
    sink: {
      append: async (bytes) => void pieces.push(bytes),
      overwrite: async (offset, bytes) => join().set(bytes, offset),
    },
    bytes: join,
  };
}
