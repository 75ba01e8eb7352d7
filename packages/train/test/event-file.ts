// Event files as their protocol buffers define them: an implementation that is not ours.
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";
import { expect } from "vitest";

// From tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto, without what is not used here.
const definition = `
syntax = "proto3";
package tensorflow;
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    bytes graph_def = 4;
    Summary summary = 5;
    SessionLog session_log = 7;
  }
}
message Summary {
  message Value {
    string tag = 1;
    oneof value {
      float simple_value = 2;
    }
  }
  repeated Value value = 1;
}
message SessionLog {
  enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
  SessionStatus status = 1;
}
`;

interface ReadEvent {
  readonly wallTime: number;
  readonly step: string;
  readonly fileVersion?: string;
  readonly summary?: { readonly value: { readonly tag: string; readonly simpleValue: number }[] };
  readonly sessionLog?: { readonly status: string };
}

/** The events of a file. Lengths and checksums are checked as TensorBoard does it. */
export function readEvents(path: string): ReadEvent[] {
  const type = protobuf.parse(definition).root.lookupType("tensorflow.Event");
  const bytes = readFileSync(path);
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(masked(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(masked(data));
    const event = type.decode(data);
    expect(type.verify(event)).toBeNull();
    events.push(
      type.toObject(event, { longs: String, enums: String, defaults: false }) as ReadEvent,
    );
    at += length + 16;
  }
  return events;
}

/** The masked CRC-32C, bit by bit, straight from its definition. */
function masked(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  const crc = BigInt((sum ^ 0xffffffff) >>> 0);
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}
