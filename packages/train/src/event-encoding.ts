// The few fields of TensorBoard's events that are written here, in the encoding of protocol buffers.
//
// - Source: tensorflow/core/util/event.proto and summary.proto; the records are those of TFRecord files:
//   length, its checksum, data, its checksum

import { maskedCrc32c } from "./crc32c.ts";

/** An event as TensorBoard reads it. */
export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  /** The first event of a file says what the file is. */
  readonly fileVersion?: string;
  /** A training has gone on from this step: what other files say about later ones does not count. */
  readonly isRestart?: boolean;
  readonly scalars?: Readonly<Record<string, number>>;
}

/** A record of an event file. */
export function encodeRecord(event: Event): Uint8Array {
  const data = Uint8Array.from(encodeEvent(event));
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

function encodeEvent({ wallTime, step = 0, fileVersion, isRestart, scalars }: Event): number[] {
  const values = Object.entries(scalars ?? {}).flatMap(([tag, value]) =>
    bytesField(1, [...textField(1, tag), ...floatField(2, value)]),
  );
  return [
    ...doubleField(1, wallTime),
    ...varintField(2, step),
    ...(fileVersion === undefined ? [] : textField(3, fileVersion)),
    ...(values.length === 0 ? [] : bytesField(5, values)),
    ...(isRestart ? bytesField(7, varintField(1, 1)) : []),
  ];
}

/** How the bytes of a field are to be read. */
const wire = { varint: 0, bits64: 1, bytes: 2, bits32: 5 };

function key(field: number, type: number): number[] {
  return varint(field * 8 + type);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function varintField(field: number, value: number): number[] {
  return [...key(field, wire.varint), ...varint(value)];
}

function doubleField(field: number, value: number): number[] {
  return [...key(field, wire.bits64), ...new Uint8Array(Float64Array.of(value).buffer)];
}

function floatField(field: number, value: number): number[] {
  return [...key(field, wire.bits32), ...new Uint8Array(Float32Array.of(value).buffer)];
}

function bytesField(field: number, bytes: readonly number[]): number[] {
  return [...key(field, wire.bytes), ...varint(bytes.length), ...bytes];
}

function textField(field: number, text: string): number[] {
  return bytesField(field, [...new TextEncoder().encode(text)]);
}
