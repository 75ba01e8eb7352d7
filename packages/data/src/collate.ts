import {
  ArgumentError,
  type DataArray,
  fromTypedArray,
  ShapeError,
  Tensor,
  tensor,
} from "@gradloom/tensor";

/** Numbers in row-major order and their shape, without a tensor's machinery: what readers and transforms handle. */
export interface NdArray<D extends DataArray = DataArray> {
  readonly data: D;
  readonly shape: readonly number[];
}

/**
 * What items become in a batch: tensors, arrays and numbers one tensor with an axis more in front; texts a list; tuples
 * and objects the same with a batch in each place.
 */
export type Batch<T> = T extends Tensor | NdArray | DataArray | number | boolean
  ? Tensor
  : T extends string
    ? string[]
    : T extends object
      ? { -readonly [K in keyof T]: Batch<T[K]> }
      : never;

/**
 * Items to a batch, as PyTorch's `default_collate` does it: see {@link Batch}. Numbers become float32 and booleans bool,
 * as with `tensor`; typed arrays and {@link NdArray}s keep their element type.
 *
 * @throws ShapeError if shapes differ. ArgumentError if items are of different kinds, or of one that is no tensor.
 */
export async function defaultCollate<T>(items: readonly T[]): Promise<Batch<T>> {
  return (await collated(items, "")) as Batch<T>;
}

async function collated(items: readonly unknown[], path: string): Promise<unknown> {
  const [first] = items;
  const at = path === "" ? "" : ` at ${path}`;
  const refuse = (rule: string, got: string) =>
    new ArgumentError(`collate: items${at} must ${rule}, got ${got}.`, { op: "collate" });
  if (first === undefined) throw refuse("be there", items.length === 0 ? "none" : "undefined");
  const kind = kindOf(first);
  const other = items.find((item) => kindOf(item) !== kind);
  if (other !== undefined) throw refuse("be of one kind", `${kind} and ${kindOf(other)}`);
  switch (kind) {
    case "tensor": {
      const tensors = items as readonly Tensor[];
      const arrays = tensors.map(async (x) => ({ data: await x.data(), shape: x.shape }));
      return stacked(await Promise.all(arrays), at, tensors[0].dtype);
    }
    case "array":
      return stacked(items as readonly NdArray[], at);
    case "typed array":
      return stacked(
        (items as readonly DataArray[]).map((data) => ({ data, shape: [data.length] })),
        at,
      );
    case "number":
    case "boolean":
      return tensor(items as readonly number[]);
    case "string":
      return items;
    case "list": {
      const lists = items as readonly (readonly unknown[])[];
      const { length } = lists[0];
      const odd = lists.find((list) => list.length !== length);
      if (odd !== undefined) throw refuse("be equally long", `${length} and ${odd.length} entries`);
      return Promise.all(
        lists[0].map((_, i) =>
          collated(
            lists.map((list) => list[i]),
            `${path}[${i}]`,
          ),
        ),
      );
    }
    case "object": {
      const objects = items as readonly Readonly<Record<string, unknown>>[];
      const keys = Object.keys(objects[0]);
      const odd = objects.find((object) => !keys.every((key) => Object.hasOwn(object, key)));
      if (odd !== undefined) {
        throw refuse("have the same keys", `${keys.join(", ")} and ${Object.keys(odd).join(", ")}`);
      }
      const entries = keys.map(async (key): Promise<[string, unknown]> => {
        const values = objects.map((object) => object[key]);
        return [key, await collated(values, `${path}.${key}`)];
      });
      return Object.fromEntries(await Promise.all(entries));
    }
    default:
      throw refuse(
        "be tensors, typed arrays, numbers, booleans, texts, or lists and objects of such",
        `${kind}. Give the loader a collate function`,
      );
  }
}

function kindOf(item: unknown): string {
  if (item instanceof Tensor) return "tensor";
  if (ArrayBuffer.isView(item)) return "typed array";
  if (Array.isArray(item)) return "list";
  if (typeof item !== "object") return typeof item;
  if (item === null) return "null";
  return isNdArray(item) ? "array" : "object";
}

/** A whole number as an item whose batch is int32 `[batch]`: a class, say. */
export function scalar(value: number): NdArray<Int32Array> {
  if ((value | 0) !== value) {
    throw new ArgumentError(
      `scalar: a class must be an integer of 32 bits, got ${value}. A number in an item becomes float32 as it is.`,
      { op: "scalar" },
    );
  }
  return { data: Int32Array.of(value), shape: [] };
}

/** Whether something is a typed array with its shape. */
function isNdArray(value: unknown): value is NdArray {
  if (typeof value !== "object" || value === null || !("data" in value && "shape" in value)) {
    return false;
  }
  return ArrayBuffer.isView(value.data) && Array.isArray(value.shape);
}

/** Arrays of one shape as one tensor: `[...] -> [count, ...]`. */
function stacked(arrays: readonly NdArray[], at: string, dtype?: Tensor["dtype"]): Tensor {
  const [{ data, shape }] = arrays;
  const size = data.length;
  const all = emptyLike(data, size * arrays.length);
  arrays.forEach((array, i) => {
    const isEqual =
      array.shape.length === shape.length && array.shape.every((n, axis) => n === shape[axis]);
    if (!isEqual || array.data.length !== size) {
      throw new ShapeError(
        `collate: items${at} must have equal shapes, got [${shape.join(", ")}] and [${array.shape.join(", ")}]. Crop or pad them, or give the loader a collate function.`,
        { op: "collate", shapes: [shape, array.shape] },
      );
    }
    all.set(array.data, i * size);
  });
  return fromTypedArray(all, [arrays.length, ...shape], dtype === undefined ? {} : { dtype });
}

/** An array of the same type. */
export function emptyLike<D extends DataArray>(data: D, length: number): D {
  const Kind = data.constructor as new (length: number) => D;
  return new Kind(length);
}
