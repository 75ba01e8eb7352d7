import { fromTypedArray, ShapeError, type Tensor } from "@gradloom/tensor";
import { requireBytes, requireInteger } from "./argument.ts";
import { type Context, malformed, readBytes, writeBytes } from "./files.ts";

/** A sound as it comes from a file. */
export interface Sound {
  /** `[channels, samples]`, float32, from -1 to 1. */
  readonly waveform: Tensor;
  /** Samples a second. */
  readonly sampleRate: number;
}

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64.
 *
 * @throws DataError if the file cannot be read, is damaged, or compressed.
 *
 * @example
 * ```ts
 * const { waveform, sampleRate } = await loadWav("hello.wav");
 * const mel = melSpectrogram(waveform, { sampleRate });
 * ```
 */
export async function loadWav(path: string): Promise<Sound> {
  return readWav({ op: "loadWav", path }, await readBytes("loadWav", path));
}

/** {@link loadWav} for bytes in memory, also in browsers. */
export function decodeWav(bytes: Uint8Array): Sound {
  requireBytes("decodeWav", bytes);
  return readWav({ op: "decodeWav" }, bytes);
}

/**
 * Writes a WAV file of 16 bits a sample. What is beyond -1 and 1 is cut off.
 *
 * @param waveform - `[channels, samples]`, or `[samples]`.
 * @throws ShapeError for another shape. DataError if the file cannot be written.
 */
export async function saveWav(path: string, waveform: Tensor, sampleRate: number): Promise<void> {
  await writeBytes("saveWav", path, await encodeWav(waveform, sampleRate));
}

/** The bytes of a WAV file, also in browsers: see {@link saveWav}. */
export async function encodeWav(waveform: Tensor, sampleRate: number): Promise<Uint8Array> {
  const op = "encodeWav";
  requireInteger(op, "sampleRate", sampleRate, 1);
  const { shape } = waveform;
  if (shape.length < 1 || shape.length > 2) {
    throw new ShapeError(
      `${op}: the waveform must be [channels, samples] or [samples], got [${shape.join(", ")}].`,
      { op, shapes: [shape] },
    );
  }
  const samples = shape[shape.length - 1];
  const channels = shape.length === 2 ? shape[0] : 1;
  const values = await waveform.data();
  const bytes = new Uint8Array(44 + 2 * channels * samples);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RIFF\0\0\0\0WAVEfmt "));
  view.setUint32(4, bytes.length - 8, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  bytes.set(new TextEncoder().encode("data"), 36);
  view.setUint32(40, bytes.length - 44, true);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < samples; i++) {
      const value = Math.max(-1, Math.min(1, values[channel * samples + i]));
      view.setInt16(44 + 2 * (i * channels + channel), Math.round(value * 32767), true);
    }
  }
  return bytes;
}

/** How a sample is read, by format and bits. */
const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  "1/8": (view, at) => (view.getUint8(at) - 128) / 128,
  "1/16": (view, at) => view.getInt16(at, true) / 32768,
  "1/24": (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608,
  "1/32": (view, at) => view.getInt32(at, true) / 2147483648,
  "3/32": (view, at) => view.getFloat32(at, true),
  "3/64": (view, at) => view.getFloat64(at, true),
};

const extensible = 0xfffe;

function readWav(context: Context, bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE") {
    throw malformed(context, "the file must begin as a WAV file does, got something else");
  }
  let format: { kind: string; channels: number; sampleRate: number; step: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = text(at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (name === "fmt ") {
      if (size < 16 || start + size > bytes.length) {
        throw malformed(context, `the format must have 16 bytes, got ${bytes.length - start}`);
      }
      const bits = view.getUint16(start + 14, true);
      const given = view.getUint16(start, true);
      const code = given === extensible && size >= 26 ? view.getUint16(start + 24, true) : given;
      const channels = view.getUint16(start + 2, true);
      const sampleRate = view.getUint32(start + 4, true);
      const kind = `${code}/${bits}`;
      if (readers[kind] === undefined) {
        throw malformed(
          context,
          `samples must be PCM of 8, 16, 24 or 32 bits or floats, got format ${code} of ${bits} bits`,
        );
      }
      if (channels === 0 || sampleRate === 0) {
        throw malformed(
          context,
          `there must be channels and a rate, got ${channels} and ${sampleRate}`,
        );
      }
      format = { kind, channels, sampleRate, step: bits / 8 };
    }
    if (name === "data") {
      if (format === undefined) throw malformed(context, "the format must come first, got none");
      const { kind, channels, sampleRate, step } = format;
      // A recording that was cut off has a size that is too large: what is there is read.
      const length = Math.min(size, bytes.length - start);
      const samples = Math.floor(length / (step * channels));
      const read = readers[kind];
      const values = new Float32Array(channels * samples);
      for (let channel = 0; channel < channels; channel++) {
        for (let i = 0; i < samples; i++) {
          values[channel * samples + i] = read(view, start + (i * channels + channel) * step);
        }
      }
      return { waveform: fromTypedArray(values, [channels, samples]), sampleRate };
    }
    at = start + size + (size % 2);
  }
  throw malformed(context, "the file must have samples, got none");
}
