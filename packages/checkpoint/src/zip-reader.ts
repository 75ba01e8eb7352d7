import type { ByteSource } from "./byte-source.ts";
import { malformed, quote } from "./checkpoint-error.ts";
import { crc32, hex } from "./crc32.ts";

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** The size of its contents. */
  readonly size: number;
  readonly packedSize: number;
  readonly checksum: number;
  readonly method: number;
  /** Where its own header begins. */
  readonly start: number;
}

/** The parts of the format, each with its signature and its size without names and comments. */
const endRecord = { signature: 0x06054b50, bytes: 22 };
const end64Locator = { signature: 0x07064b50, bytes: 20 };
const end64Record = { signature: 0x06064b50, bytes: 56 };
const directoryHeader = { signature: 0x02014b50, bytes: 46 };
const localHeader = { signature: 0x04034b50, bytes: 30 };

const maxCommentBytes = 65_535;
const maxDirectoryBytes = 100_000_000;
/** What deflate reaches at most. */
const largestRatio = 1032;

/**
 * The directory of a zip archive, also of one beyond 4 GB, as PyTorch and NumPy write it: files are stored or deflated, not
 * encrypted.
 *
 * - Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 *
 * @throws CheckpointError if it is damaged, or names a file twice.
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { count, start, length } = await findDirectory(source);
  if (length > maxDirectoryBytes || start + length > source.size) {
    throw malformed(
      source,
      `the zip directory must lie in the file, got ${length} bytes at ${start}`,
    );
  }
  const bytes = await source.read(start, length);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  let packedBytes = 0;
  for (let i = 0; i < count; i++) {
    if (
      at + directoryHeader.bytes > length ||
      view.getUint32(at, true) !== directoryHeader.signature
    ) {
      throw malformed(source, `the zip directory must have ${count} entries, got ${i}`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next =
      at + directoryHeader.bytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > length)
      throw malformed(source, "a zip entry must lie in the directory, got its end");
    const nameStart = at + directoryHeader.bytes;
    const name = new TextDecoder().decode(bytes.subarray(nameStart, nameStart + nameBytes));
    if (entries.has(name)) {
      throw malformed(source, `a zip archive must name each file once, got ${quote(name)} twice`);
    }
    if ((view.getUint16(at + 8, true) & 1) !== 0) {
      throw malformed(source, `${quote(name)} must not be encrypted, got an encrypted file`);
    }
    const extra = bytes.subarray(nameStart + nameBytes, nameStart + nameBytes + extraBytes);
    const [size, packedSize, headerStart] = wide(
      source,
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      extra,
    );
    // Files that share their bytes make a large archive of a small one.
    packedBytes += packedSize;
    if (packedBytes > source.size) {
      throw malformed(
        source,
        "the files of a zip archive must not overlap, got more than its size",
      );
    }
    entries.set(name, {
      name,
      size,
      packedSize,
      start: headerStart,
      checksum: view.getUint32(at + 16, true),
      method: view.getUint16(at + 10, true),
    });
    at = next;
  }
  return entries;
}

/**
 * The contents of a file in an archive, checked.
 *
 * @throws CheckpointError if they are damaged, or of another size than the directory says.
 */
export async function readEntry(
  source: ByteSource,
  entry: ZipEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, size, packedSize, start, method } = entry;
  if (start + localHeader.bytes > source.size) throw outside(source, name);
  const head = viewOf(await source.read(start, localHeader.bytes));
  if (head.getUint32(0, true) !== localHeader.signature) throw outside(source, name);
  const dataStart = start + localHeader.bytes + head.getUint16(26, true) + head.getUint16(28, true);
  if (dataStart + packedSize > source.size) throw outside(source, name);
  // Before anything of that size is made.
  if (method === 0 ? size !== packedSize : size > packedSize * largestRatio + 1024) {
    throw malformed(
      source,
      `${quote(name)} must fit its ${packedSize} packed bytes, got a size of ${size}`,
    );
  }
  const packed = await source.read(dataStart, packedSize);
  const bytes = method === 0 ? packed : await inflate(source, entry, packed);
  const checksum = crc32(bytes);
  if (checksum === entry.checksum) return bytes;
  throw malformed(
    source,
    `the checksum of ${quote(name)} must be ${hex(entry.checksum)}, got ${hex(checksum)}: the file is damaged`,
  );
}

async function inflate(
  source: ByteSource,
  { name, method, size }: ZipEntry,
  packed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (method !== 8) {
    throw malformed(source, `${quote(name)} must be stored or deflated, got method ${method}`);
  }
  const bytes = new Uint8Array(size);
  let end = 0;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (end + value.byteLength > size) {
      await reader.cancel();
      throw malformed(source, `${quote(name)} must have ${size} bytes, got more`);
    }
    bytes.set(value, end);
    end += value.byteLength;
  }
  if (end === size) return bytes;
  throw malformed(source, `${quote(name)} must have ${size} bytes, got ${end}`);
}

async function findDirectory(
  source: ByteSource,
): Promise<{ readonly count: number; readonly start: number; readonly length: number }> {
  const tailBytes = Math.min(source.size, endRecord.bytes + maxCommentBytes);
  const tailStart = source.size - tailBytes;
  const tail = viewOf(await source.read(tailStart, tailBytes));
  let at = tailBytes - endRecord.bytes;
  while (at >= 0 && tail.getUint32(at, true) !== endRecord.signature) at--;
  if (at < 0) throw malformed(source, "the file must be a zip archive, got no end record");
  const found = {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    start: tail.getUint32(at + 16, true),
  };
  const locator = at - end64Locator.bytes;
  if (locator < 0 || tail.getUint32(locator, true) !== end64Locator.signature) return found;
  const recordStart = exact(source, tail.getBigUint64(locator + 8, true));
  if (recordStart + end64Record.bytes > source.size) {
    throw malformed(source, "the end record of a large zip archive must lie in the file");
  }
  const record = viewOf(await source.read(recordStart, end64Record.bytes));
  if (record.getUint32(0, true) !== end64Record.signature) {
    throw malformed(source, "the end record of a large zip archive must have its signature");
  }
  return {
    count: exact(source, record.getBigUint64(32, true)),
    length: exact(source, record.getBigUint64(40, true)),
    start: exact(source, record.getBigUint64(48, true)),
  };
}

/** Puts the 64-bit numbers of an extra field where the 32-bit ones say that they are there. */
function wide(
  source: ByteSource,
  values: readonly [number, number, number],
  extra: Uint8Array,
): readonly number[] {
  if (!values.includes(0xffffffff)) return values;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra.byteLength) break;
    if (view.getUint16(at, true) === 1) {
      let next = at + 4;
      return values.map((value) => {
        if (value !== 0xffffffff) return value;
        if (next + 8 > end)
          throw malformed(source, "a large zip entry must have its sizes, got none");
        next += 8;
        return exact(source, view.getBigUint64(next - 8, true));
      });
    }
    at = end;
  }
  return values;
}

function exact(source: ByteSource, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw malformed(source, `sizes in a zip archive must be below 2^53, got ${value}`);
}

function outside(source: ByteSource, name: string): Error {
  return malformed(
    source,
    `${quote(name)} must lie in the zip archive, got a place where it is not`,
  );
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
