import { nodeModule } from "./node-files.ts";

/** The checksum of zip, gzip and PNG: of `bytes` behind what gave `start`. */
export function crc32(bytes: Uint8Array, start = 0): number {
  // Node's forgets the start where there are no bytes.
  if (bytes.byteLength === 0) return start;
  return native === undefined ? portable(bytes, start) : native(bytes, start);
}

/** Node's, from 20.15 on, is ten times as fast. */
const native = nodeModule<{ crc32?: (bytes: Uint8Array, start: number) => number }>(
  "node:zlib",
)?.crc32;

function portable(bytes: Uint8Array, start: number): number {
  let sum = ~start;
  for (const byte of bytes) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** A checksum as it is shown. */
export function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
