import {
  ArgumentError,
  borrowStates,
  defaultGenerator,
  Generator,
  StateError,
} from "@gradloom/tensor";
import { type ByteSink, writeAtomically } from "./atomic-file.ts";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { guarded, malformed } from "./checkpoint-error.ts";
import { crc32, hex } from "./crc32.ts";
import { tensorBytes } from "./element-type.ts";
import { isObject, parseJson } from "./json.ts";
import { memorySink } from "./memory-sink.ts";
import { type PlainData, putTogether, takeApart } from "./plain-data.ts";
import { plan, readHeader, readTensors } from "./safetensors.ts";

/** What can say what it is at, and go on from there: a module, an optimizer, a schedule, a data loader. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(dict: never): unknown;
}

/** What is kept of a training: objects with a state, generators, and plain values such as the step. */
export type CheckpointContents = Readonly<Record<string, Stateful | Generator | PlainData>>;

/** What is brought back to where it was. */
export type CheckpointTargets = Readonly<Record<string, Stateful | Generator | undefined>>;

/** The state of the random numbers, which is kept in any case. */
const randomKey = "random";

const formatKey = "gradloom.checkpoint";
const formatVersion = "1";
const stateKey = "gradloom.state";
const checksumKey = "gradloom.crc32";
const noChecksum = "00000000";

/**
 * Keeps a whole training in one file: what is given, each under its name, and the state of the random numbers.
 *
 * At any moment, also after a crash or a power failure, the path leads to the old file or to the whole new one: a
 * temporary file next to it is written, synced to the disk, and renamed. The file is a safetensors file with a checksum;
 * `loadSafetensors` reads its tensors by names such as `model.fc.weight`. Wait for it before the next step.
 *
 * @throws ArgumentError if a value cannot be kept. CheckpointError if the file cannot be written: no space, no permission.
 *   Then the old file is as it was.
 *
 * @example
 * ```ts
 * await saveCheckpoint("last.ckpt", { model, optimizer, schedule, loader, step });
 * ```
 */
export function saveCheckpoint(path: string, contents: CheckpointContents): Promise<void> {
  return write("saveCheckpoint", contents, (fill) => writeAtomically("saveCheckpoint", path, fill));
}

/**
 * The bytes of a checkpoint, also in browsers: see {@link saveCheckpoint}.
 *
 * @throws ArgumentError if a value cannot be kept.
 */
export async function encodeCheckpoint(contents: CheckpointContents): Promise<Uint8Array> {
  const { sink, bytes } = memorySink();
  await write("encodeCheckpoint", contents, (fill) => fill(sink));
  return bytes();
}

async function write(
  op: string,
  contents: CheckpointContents,
  into: (fill: (sink: ByteSink) => Promise<void>) => Promise<void>,
): Promise<void> {
  // A model is an object, too, whose fields would be kept, but not as its state.
  if (Object(contents) !== contents || "stateDict" in contents) {
    const got = Object(contents) === contents ? contents.constructor.name : String(contents);
    throw new ArgumentError(
      `${op}: there must be an object of what to keep, got ${got}. Pass { model, optimizer }, say.`,
      { op },
    );
  }
  if (Object.hasOwn(contents, randomKey)) {
    throw new ArgumentError(`${op}: the name "${randomKey}" must be left to the random state.`, {
      op,
    });
  }
  const states = Object.entries(contents).map(([name, value]) => [name, stateOf(value)]);
  const { tensors, json } = takeApart(op, {
    ...Object.fromEntries(states),
    [randomKey]: stateOf(defaultGenerator),
  });
  const { header, tensors: inOrder } = plan(op, tensors, {
    [formatKey]: formatVersion,
    [checksumKey]: noChecksum,
    [stateKey]: json,
  });
  await into(async (sink) => {
    let sum = crc32(header);
    await sink.append(header);
    for (const tensor of inOrder) {
      for await (const part of tensorBytes(tensor)) {
        sum = crc32(part, sum);
        await sink.append(part);
      }
    }
    // The sum is that of the file with zeros in its place.
    await sink.overwrite(checksumPlace(header), new TextEncoder().encode(hex(sum)));
  });
}

/**
 * Brings a training back to where {@link saveCheckpoint} kept it: each of the targets from what was kept under its name,
 * and the random numbers.
 *
 * @returns everything that was kept, also what no target was given for: `step`, say.
 * @throws CheckpointError if the file cannot be read or is damaged. StateError if nothing was kept for a target. Then
 *   nothing has changed. Whatever a target's `loadStateDict` throws; those before it have been loaded then.
 *
 * @example
 * ```ts
 * const { step } = await loadCheckpoint<{ step: number }>("last.ckpt", { model, optimizer, schedule, loader });
 * ```
 */
export async function loadCheckpoint<T = Record<string, PlainData>>(
  path: string,
  targets: CheckpointTargets = {},
): Promise<T> {
  return restoreAll("loadCheckpoint", await withFile("loadCheckpoint", path, readState), targets);
}

/** {@link loadCheckpoint} for bytes in memory, also in browsers. */
export async function decodeCheckpoint<T = Record<string, PlainData>>(
  bytes: Uint8Array,
  targets: CheckpointTargets = {},
): Promise<T> {
  const op = "decodeCheckpoint";
  return restoreAll(op, await readState(memorySource(op, bytes)), targets);
}

function restoreAll<T>(
  op: string,
  state: Readonly<Record<string, PlainData>>,
  targets: CheckpointTargets,
): T {
  const wanted = Object.entries(targets).filter(([, target]) => target !== undefined);
  const missing = wanted.map(([name]) => name).filter((name) => !Object.hasOwn(state, name));
  if (missing.length > 0) {
    throw new StateError(
      `${op}: the file must hold a state for each target, got none for ${missing.join(", ")}; it has ${Object.keys(state).join(", ")}.`,
      { op },
    );
  }
  const other = wanted.find(([, target]) => !isTarget(target));
  if (other !== undefined) {
    throw new ArgumentError(
      `${op}: targets must have loadStateDict, got ${String(other[1])} as ${other[0]}. What is plain is returned.`,
      { op },
    );
  }
  for (const [name, target] of wanted) restore(op, name, target!, state[name]);
  if (Object.hasOwn(state, randomKey)) restore(op, randomKey, defaultGenerator, state[randomKey]);
  return state as T;
}

function readState(source: ByteSource): Promise<Readonly<Record<string, PlainData>>> {
  return guarded(source, async () => {
    const { header, dataStart, bytes } = await readHeader(source);
    const { metadata } = header;
    if (metadata[formatKey] !== formatVersion) {
      throw malformed(
        source,
        `the file must be a checkpoint of version ${formatVersion}, got ${metadata[formatKey] ?? "another safetensors file. Use loadSafetensors"}`,
      );
    }
    const place = checksumPlace(bytes);
    bytes.fill(noChecksum.charCodeAt(0), place, place + noChecksum.length);
    let sum = crc32(bytes);
    const tensors = await readTensors(source, header, dataStart, (piece) => {
      sum = crc32(piece, sum);
    });
    if (hex(sum) !== metadata[checksumKey]) {
      throw malformed(
        source,
        `the checksum must be ${metadata[checksumKey]}, got ${hex(sum)}: the file is damaged`,
      );
    }
    const state = putTogether(source, tensors, parseJson(source, "the state", metadata[stateKey]));
    if (isObject(state)) return state as Readonly<Record<string, PlainData>>;
    throw malformed(source, "the state must be an object, got something else");
  });
}

/** Where the checksum is in the bytes of a header. It is before the state, which might hold the same text. */
function checksumPlace(header: Uint8Array): number {
  const before = `"${checksumKey}":"`;
  const text = new TextDecoder("latin1").decode(header.subarray(0, 1000));
  const at = text.indexOf(before);
  return at < 0 ? header.length : at + before.length;
}

function stateOf(value: unknown): unknown {
  if (value instanceof Generator) return value.getState();
  return isStateful(value) ? borrowStates(() => value.stateDict()) : value;
}

function isStateful(value: unknown): value is Stateful {
  return (
    typeof value === "object" &&
    value !== null &&
    "stateDict" in value &&
    typeof value.stateDict === "function"
  );
}

function isTarget(value: unknown): boolean {
  return value instanceof Generator || typeof Object(value).loadStateDict === "function";
}

function restore(op: string, name: string, target: Stateful | Generator, state: PlainData): void {
  if (!(target instanceof Generator)) {
    target.loadStateDict(state as never);
    return;
  }
  const { seed, draws } = isObject(state) ? state : {};
  if (typeof seed !== "number" || typeof draws !== "number") {
    throw new StateError(`${op}: ${name} must be the state of a generator, got something else.`, {
      op,
    });
  }
  target.setState({ seed, draws });
}
