import {
  ArgumentError,
  createArray,
  type DType,
  isFloat,
  ShapeError,
  type TypedArray,
} from "@gradloom/engine";

/** What a tensor can be made of: a number or boolean, a typed array, or equally long arrays of such. */
export type TensorData = number | boolean | DataArray | readonly TensorData[];

/** The typed arrays that {@link TensorData} may contain. */
export type DataArray =
  | TypedArray
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array
  | Uint32Array;

/** Numbers in arrays in arrays, as deep as a tensor has axes. */
export type NestedNumbers = number | NestedNumbers[];

/** A row-major array and how to see it. */
interface Flat {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

const maxDepth = 32;

/**
 * Nested data as one new array in row-major order. Without `dtype`: numbers are float32, booleans
 * bool, typed arrays what they are (the 8- and 16-bit integers int32, but `Uint8Array` and
 * `Uint8ClampedArray` uint8).
 *
 * @throws ShapeError if arrays are ragged. ArgumentError if an entry is not numeric, kinds of entries
 * are mixed, or a value does not fit into an integer `dtype`.
 */
export function flatten(data: TensorData, dtype?: DType, op = "tensor"): Flat {
  const shape = shapeOf(data, op);
  const { leaf, path } = firstLeaf(data);
  const kind = kindOf(leaf, op, path);
  const target = dtype ?? kind.dtype;
  const flat = createArray(
    target,
    shape.reduce((a, b) => a * b, 1),
  );
  const fill = new Filler(flat, target, shape, kind.name, op);
  fill.from(data, []);
  return { data: flat, shape, dtype: target };
}

/** Row-major data as nested arrays; a single number for a shape without axes. */
export function unflatten(data: TypedArray, shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return data[0];
  let position = 0;
  const build = (axis: number): NestedNumbers[] => {
    const size = shape[axis];
    if (axis === shape.length - 1) {
      position += size;
      return Array.from(data.subarray(position - size, position));
    }
    return Array.from({ length: size }, () => build(axis + 1));
  };
  return build(0);
}

/** Sizes along the first entry of each level. */
function shapeOf(data: TensorData, op: string): number[] {
  const shape: number[] = [];
  let level: unknown = data;
  while (Array.isArray(level) || isDataArray(level)) {
    if (shape.length === maxDepth) {
      throw new ShapeError(
        `${op}: arrays must be nested at most ${maxDepth} deep, got more. Does an array contain itself?`,
        { op },
      );
    }
    shape.push(level.length);
    level = level[0];
  }
  return shape;
}

/** The first scalar or typed array and the way to it; the number 0 if there is none. */
function firstLeaf(data: unknown): { readonly leaf: unknown; readonly path: number[] } {
  const path: number[] = [];
  let leaf: unknown = data;
  while (Array.isArray(leaf)) {
    if (leaf.length === 0) return { leaf: 0, path };
    leaf = leaf[0];
    path.push(0);
  }
  return { leaf, path };
}

/** Writes nested data into a flat array and checks each entry on the way. */
class Filler {
  readonly flat: TypedArray;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly kind: string;
  readonly op: string;
  position = 0;

  constructor(flat: TypedArray, dtype: DType, shape: readonly number[], kind: string, op: string) {
    this.flat = flat;
    this.dtype = dtype;
    this.shape = shape;
    this.kind = kind;
    this.op = op;
  }

  /** `path` leads to `data`; it is restored before returning. */
  from(data: unknown, path: number[]): void {
    const axis = path.length;
    if (isDataArray(data)) {
      this.checkLength(data.length, axis === this.shape.length - 1, path);
      this.checkKind(data, path);
      if (isFloat(this.dtype)) {
        this.flat.set(data, this.position);
        this.position += data.length;
      } else {
        for (let i = 0; i < data.length; i++) this.put(data[i], path, i);
      }
    } else if (Array.isArray(data)) {
      this.checkLength(data.length, axis < this.shape.length, path);
      const isLast = axis === this.shape.length - 1;
      for (let i = 0; i < data.length; i++) {
        const entry: unknown = data[i];
        if (isLast && typeof entry === this.kind) {
          this.put(Number(entry), path, i);
        } else {
          path.push(i);
          this.from(entry, path);
          path.pop();
        }
      }
    } else {
      this.checkKind(data, path);
      if (axis < this.shape.length) {
        throw new ShapeError(
          `${this.op}: entries must be nested equally deep, got an array${at(path.map(() => 0))} ` +
            `and ${show(data)}${at(path)}.`,
          { op: this.op },
        );
      }
      this.put(Number(data), path);
    }
  }

  private checkLength(length: number, deepEnough: boolean, path: readonly number[]): void {
    if (!deepEnough) {
      throw new ShapeError(
        `${this.op}: entries must be nested equally deep, got ${this.kind === "boolean" ? "a boolean" : "a number"}` +
          `${at(this.shape.map(() => 0))} and an array${at(path)}.`,
        { op: this.op },
      );
    }
    const expected = this.shape[path.length];
    if (length !== expected) {
      throw new ShapeError(
        `${this.op}: arrays must be equally long, got ${expected} entries${at(path.map(() => 0))} ` +
          `and ${length}${at(path)}.`,
        { op: this.op },
      );
    }
  }

  private checkKind(leaf: unknown, path: readonly number[]): void {
    const kind = kindOf(leaf, this.op, path).name;
    if (kind !== this.kind) {
      throw new ArgumentError(
        `${this.op}: entries must be of one kind, got ${this.kind} first and ${kind}${at(path)}.`,
        { op: this.op },
      );
    }
  }

  private put(value: number, path: readonly number[], last?: number): void {
    const whole = Math.trunc(value);
    const fits =
      this.dtype === "int32"
        ? whole === (whole | 0)
        : this.dtype === "uint8"
          ? whole === (whole & 255)
          : true;
    if (!fits) {
      throw new ArgumentError(
        `${this.op}: a value must fit into ${this.dtype}, got ${value}` +
          `${at(last === undefined ? path : [...path, last])}. Give another dtype.`,
        { op: this.op },
      );
    }
    this.flat[this.position++] = this.dtype === "bool" ? Number(value !== 0) : value;
  }
}

/** The kind of a leaf, which all leaves must share, and the dtype that it stands for. */
function kindOf(
  leaf: unknown,
  op: string,
  path: readonly number[],
): { readonly name: string; readonly dtype: DType } {
  if (typeof leaf === "number") return { name: "number", dtype: "float32" };
  if (typeof leaf === "boolean") return { name: "boolean", dtype: "bool" };
  if (isDataArray(leaf)) return { name: arrayName(leaf), dtype: arrayDType(leaf) };
  throw new ArgumentError(
    `${op}: entries must be numbers, booleans or typed arrays, got ${show(leaf)}${at(path)}.${wayOut(leaf)}`,
    { op },
  );
}

function isDataArray(value: unknown): value is DataArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  );
}

/** `Float32Array`, …; subclasses such as Node's `Buffer` count as what they extend. */
function arrayName(array: DataArray): string {
  return array[Symbol.toStringTag];
}

/** The dtype that holds the values of a typed array. */
export function arrayDType(array: DataArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return "uint8";
  return "int32";
}

function at(path: readonly number[]): string {
  return path.length === 0 ? "" : ` at [${path.join("][")}]`;
}

/** A value as messages show it. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null)
    return `a ${value.constructor?.name ?? "object"}`;
  if (typeof value === "function") return "a function";
  return String(value);
}

function wayOut(value: unknown): string {
  if (typeof value === "bigint" || value instanceof BigInt64Array) {
    return " Convert it with Number(…).";
  }
  if (typeof value === "object" && value !== null && "shape" in value) {
    return " Join tensors with stack([…]).";
  }
  return "";
}
