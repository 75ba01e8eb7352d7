import { type Context, malformed } from "./files.ts";

/** Bytes as they were before gzip, if they are gzipped; else the same. */
export async function gunzipped(context: Context, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    // A copy, because the platform's types do not allow for shared memory.
    const stream = new Blob([new Uint8Array(bytes)]).stream();
    const plain = stream.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw malformed(context, `gzipped bytes must be whole, got "${got}"`);
  }
}
