import type { ByteSink } from "./atomic-file.ts";
import { crc32 } from "./crc32.ts";

/** The day that is written for all files, so that the same contents give the same bytes: 1 January 1980. */
const dosDate = 0x21;
/** Names are UTF-8. */
const utf8Flag = 0x800;
/** The version that large sizes need. */
const version = 45;
/** Where the checksum is in a file's header. */
const checksumPlace = 14;
const unknown32 = 0xffffffff;

/** Writes a zip archive whose files are stored as they are, each as large as it likes. */
export class ZipWriter {
  readonly #sink: ByteSink;
  readonly #directory: Uint8Array[] = [];
  #end = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Adds a file of this size. */
  async add(name: string, size: number, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const start = this.#end;
    let checksum = 0;
    const bytes = new TextEncoder().encode(name);
    const common = (fields: Fields) => {
      fields.u16(utf8Flag).u16(0).u16(0).u16(dosDate).u32(checksum).u32(unknown32).u32(unknown32);
      return fields.u16(bytes.byteLength);
    };
    const sizes = new Fields().u16(1).u16(16).u64(size).u64(size);
    const local = common(new Fields().u32(0x04034b50).u16(version)).u16(20);
    await this.#append(local.bytes());
    await this.#append(bytes);
    await this.#append(sizes.bytes());
    for await (const part of parts) {
      checksum = crc32(part, checksum);
      await this.#append(part);
    }
    // Only now it is known.
    await this.#sink.overwrite(start + checksumPlace, new Fields().u32(checksum).bytes());

    const places = new Fields().u16(1).u16(24).u64(size).u64(size).u64(start);
    const central = common(new Fields().u32(0x02014b50).u16(version).u16(version)).u16(28);
    central.u16(0).u16(0).u16(0).u32(0).u32(unknown32); // comment, disk, attributes, start
    this.#directory.push(central.bytes(), bytes, places.bytes());
  }

  /** Writes the directory, with which the archive is complete. */
  async finish(): Promise<void> {
    const start = this.#end;
    for (const part of this.#directory) await this.#append(part);
    const length = this.#end - start;
    const count = this.#directory.length / 3;
    const record = new Fields().u32(0x06064b50).u64(44).u16(version).u16(version).u32(0).u32(0);
    record.u64(count).u64(count).u64(length).u64(start);
    const locator = new Fields().u32(0x07064b50).u32(0).u64(this.#end).u32(1);
    const end = new Fields().u32(0x06054b50).u16(0).u16(0).u16(0xffff).u16(0xffff);
    end.u32(unknown32).u32(unknown32).u16(0);
    for (const fields of [record, locator, end]) await this.#append(fields.bytes());
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#sink.append(bytes);
    this.#end += bytes.byteLength;
  }
}

/** Little-endian numbers, one after the other. */
class Fields {
  readonly #numbers: number[] = [];

  u16(value: number): this {
    this.#numbers.push(value & 255, (value >>> 8) & 255);
    return this;
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / 2 ** 32));
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#numbers);
  }
}
