// A trained MLP as a JSON file, readable and exact: a float32 written as a decimal number and read
// back is the same float32. Gives way to @gradloom/checkpoint once that exists.
import { readFile, writeFile } from "node:fs/promises";
import { MLP } from "@gradloom/layers";
import { fromTypedArray, type Tensor } from "@gradloom/tensor";
import { PlaygroundError } from "./errors.ts";

const format = "gradloom-playground-mlp";
const version = 1;

/** The sizes that {@link MLP} is built from. */
export interface MLPSizes {
  readonly inFeatures: number;
  readonly hidden: readonly number[];
  readonly outFeatures: number;
}

interface Entry {
  readonly shape: number[];
  readonly data: number[];
}

interface ModelFile {
  readonly format: typeof format;
  readonly version: typeof version;
  readonly sizes: MLPSizes;
  readonly state: Record<string, Entry>;
}

/** Writes the sizes of the model and its state dict. */
export async function saveModel(path: string, model: MLP, sizes: MLPSizes): Promise<void> {
  const state: Record<string, Entry> = {};
  for (const [key, value] of Object.entries(model.stateDict())) {
    const data = Array.from(value.dataSync());
    if (!data.every(Number.isFinite)) {
      throw new PlaygroundError(`Cannot save the model: ${key} holds numbers that are not finite.`);
    }
    state[key] = { shape: [...value.shape], data };
  }
  const file: ModelFile = { format, version, sizes, state };
  await writeFile(path, `${JSON.stringify(file)}\n`);
}

/**
 * Builds the model that {@link saveModel} wrote.
 *
 * @throws PlaygroundError if the file cannot be read, or holds something else.
 */
export async function loadModel(path: string): Promise<MLP> {
  const { sizes, state } = parse(path, await read(path));
  const model = new MLP(sizes.inFeatures, [...sizes.hidden], sizes.outFeatures);
  const tensors: Record<string, Tensor> = {};
  for (const [key, { shape, data }] of Object.entries(state)) {
    tensors[key] = fromTypedArray(Float32Array.from(data), shape);
  }
  model.loadStateDict(tensors);
  return model;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new PlaygroundError(`Cannot read the model: ${(error as Error).message}.`);
  }
}

function parse(path: string, text: string): ModelFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new PlaygroundError(`${path} is not a model file: it is not JSON, or it was cut off.`);
  }
  if (!isModelFile(file)) {
    throw new PlaygroundError(
      `${path} is not a model file of format ${format}, version ${version}.`,
    );
  }
  return file;
}

function isModelFile(value: unknown): value is ModelFile {
  if (!isRecord(value) || value.format !== format || value.version !== version) return false;
  const { sizes, state } = value;
  return (
    isRecord(sizes) &&
    isSize(sizes.inFeatures) &&
    isSize(sizes.outFeatures) &&
    Array.isArray(sizes.hidden) &&
    sizes.hidden.every(isSize) &&
    isRecord(state) &&
    Object.values(state).every(isEntry)
  );
}

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    Array.isArray(value.shape) &&
    value.shape.every(isSize) &&
    Array.isArray(value.data) &&
    value.data.every(Number.isFinite) &&
    value.data.length === value.shape.reduce((count, size) => count * size, 1)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
