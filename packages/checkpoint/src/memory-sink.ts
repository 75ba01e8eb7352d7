import type { ByteSink } from "./atomic-file.ts";

/** A sink that keeps the bytes in memory. */
export function memorySink(): { readonly sink: ByteSink; readonly bytes: () => Uint8Array } {
  const pieces: Uint8Array[] = [];
  const overwrite = (offset: number, bytes: Uint8Array) => {
    let start = 0;
    for (const piece of pieces) {
      const end = start + piece.byteLength;
      const [from, to] = [Math.max(start, offset), Math.min(end, offset + bytes.byteLength)];
      if (from < to) piece.set(bytes.subarray(from - offset, to - offset), from - start);
      start = end;
    }
  };
  const join = () => {
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    let end = 0;
    for (const piece of pieces) {
      all.set(piece, end);
      end += piece.byteLength;
    }
    return all;
  };
  return {
    sink: {
      append: async (bytes) => void pieces.push(bytes),
      overwrite: async (offset, bytes) => overwrite(offset, bytes),
    },
    bytes: join,
  };
}
