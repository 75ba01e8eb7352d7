import { ArgumentError, Tensor } from "@gradloom/tensor";
import { type Context, malformed, quote } from "./checkpoint-error.ts";
import { isObject } from "./json.ts";
import type { StateDict } from "./safetensors.ts";

/** What can be kept as text, with tensors anywhere in it. */
export type PlainData =
  | Tensor
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

/** Stands for a tensor, by its name, or for a number that JSON does not have. */
const tensorKey = "$tensor";
const numberKey = "$number";

const maxDepth = 200;

/** Takes data apart: tensors by name, and JSON for the rest. */
export function takeApart(op: string, root: unknown): { tensors: StateDict; json: string } {
  const tensors = new Map<string, Tensor>();
  const names = new Map<Tensor, string>();
  const nameOf = (tensor: Tensor, path: readonly string[]): string => {
    let name = names.get(tensor);
    if (name !== undefined) return name;
    name = path.join(".");
    while (tensors.has(name) || name === "__metadata__") name += "'";
    names.set(tensor, name);
    tensors.set(name, tensor);
    return name;
  };
  const convert = (value: unknown, path: readonly string[]): unknown => {
    if (value instanceof Tensor) return { [tensorKey]: nameOf(value, path) };
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      const isJson = Number.isFinite(value) && !Object.is(value, -0);
      return isJson ? value : { [numberKey]: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (path.length <= maxDepth) {
      if (Array.isArray(value)) return value.map((item, i) => convert(item, [...path, String(i)]));
      if (isPlainObject(value)) {
        const entries = Object.entries(value).filter(([, item]) => item !== undefined);
        // A key of the caller's that begins like ours gets one more.
        return Object.fromEntries(
          entries.map(([key, item]) => [
            key.startsWith("$") ? `$${key}` : key,
            convert(item, [...path, key]),
          ]),
        );
      }
    }
    throw new ArgumentError(
      `${op}: values must be tensors, numbers, texts, booleans, null, lists or plain objects, got ${describe(value)} as ${path.join(".")}.`,
      { op },
    );
  };
  const json = JSON.stringify(convert(root, []));
  return { tensors: Object.fromEntries(tensors), json };
}

/** Puts data together again. @throws CheckpointError if a tensor is missing. */
export function putTogether(context: Context, tensors: StateDict, json: unknown): PlainData {
  const convert = (value: unknown): PlainData => {
    if (Array.isArray(value)) return value.map(convert);
    if (!isObject(value)) return value as string | number | boolean | null;
    const { [tensorKey]: name, [numberKey]: number } = value;
    if (typeof number === "string") return Number(number);
    if (typeof name === "string") {
      if (Object.hasOwn(tensors, name)) return tensors[name];
      throw malformed(context, `all tensors must be in the file, got none for ${quote(name)}`);
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key.startsWith("$") ? key.slice(1) : key,
        convert(item),
      ]),
    );
  };
  return convert(json);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Array.isArray(value) || isPlainObject(value)
    ? "too deep a nesting"
    : `a ${value.constructor?.name ?? "object"}`;
}
