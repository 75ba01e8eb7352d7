import { createArray, type DType, type Node, type TypedArray } from "@gradloom/engine";

/** The element operations that random graphs are made of. */
const rules: Readonly<Record<string, (...args: number[]) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  neg: (a) => -a,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  tanh: Math.tanh,
  sin: Math.sin,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  where: (condition, a, b) => (condition === 0 ? b : a),
  floorDiv: (a, b) => Math.floor(a / b),
  mod: (a, b) => a - b * Math.floor(a / b),
  not: (a) => Number(a === 0),
  cast: (a) => a,
};

/**
 * The value of a node by the definition of each operation, one after the other, with an array for each: an
 * oracle that shares nothing with schedules, kernels and backends. Only for nodes that are not settled.
 */
export function interpret(node: Node, known: Map<Node, TypedArray> = new Map()): TypedArray {
  let value = known.get(node);
  if (value === undefined) {
    for (const input of node.inputs) interpret(input, known);
    value = compute(node, (input) => known.get(input)!);
    known.set(node, value);
  }
  return value;
}

function compute(node: Node, valuesOf: (node: Node) => TypedArray): TypedArray {
  const { op, inputs, attributes, shape, dtype } = node;
  const [x] = inputs;
  const from = (position: (index: readonly number[]) => number | undefined) => {
    return fill(shape, dtype, (index) => {
      const source = position(index);
      return source === undefined ? 0 : valuesOf(x)[source];
    });
  };
  switch (op) {
    case "box": {
      const { source, offset, storage } = node.box!;
      if (source === undefined) return storage.host!;
      return source.storage.host!.subarray(offset, offset + storage.length);
    }
    case "constant":
      return fill(shape, dtype, () => attributes[0]);
    case "scalar":
      return fill(shape, dtype, () => Number(node.value));
    case "iota":
      return fill(shape, dtype, ([i]) => i);
    case "reshape":
      return valuesOf(x).slice();
    case "permute":
      return from((index) => {
        const source = new Array<number>(index.length);
        attributes.forEach((axis, i) => {
          source[axis] = index[i];
        });
        return flat(source, x.shape);
      });
    case "expand":
      return from((index) => flat(index.slice(index.length - x.shape.length), x.shape));
    case "slice":
      return from((index) => {
        const steps = attributes.slice(index.length);
        return flat(
          index.map((i, axis) => attributes[axis] + i * steps[axis]),
          x.shape,
        );
      });
    case "pad":
      return from((index) => {
        const source = index.map((i, axis) => i - attributes[axis]);
        const isInside = source.every((i, axis) => i >= 0 && i < x.shape[axis]);
        return isInside ? flat(source, x.shape) : undefined;
      });
    case "affine":
      return from((index) => {
        const source = x.shape.map((_, row) => {
          const factors = attributes.slice(x.shape.length + row * index.length);
          return index.reduce((sum, i, column) => sum + factors[column] * i, attributes[row]);
        });
        const isInside = source.every((i, axis) => i >= 0 && i < x.shape[axis]);
        return isInside ? flat(source, x.shape) : undefined;
      });
    case "check":
      return valuesOf(x).slice();
    case "gather":
      return from((index) => {
        const source = [...index];
        source[attributes[0]] = valuesOf(inputs[1])[flat(index, shape)];
        return flat(source, x.shape);
      });
    case "scatter:sum":
    case "scatter:max": {
      const result = fill(shape, dtype, () => 0);
      forEachIndex(x.shape, (index) => {
        const target = [...index];
        target[attributes[0]] = valuesOf(inputs[1])[flat(index, x.shape)];
        const position = flat(target, shape);
        const value = valuesOf(x)[flat(index, x.shape)];
        const old = result[position];
        result[position] = op === "scatter:sum" ? old + value : Math.max(old, value);
      });
      return result;
    }
    case "scan:sum":
    case "scan:prod":
    case "sort":
      return alongAxis(node, valuesOf(x));
    case "cat":
      return fill(shape, dtype, (index) => {
        const source = [...index];
        for (const input of inputs) {
          const size = input.shape[attributes[0]];
          if (source[attributes[0]] < size) return valuesOf(input)[flat(source, input.shape)];
          source[attributes[0]] -= size;
        }
        throw new Error("cat: no such element");
      });
    case "matmul":
      return fill(shape, dtype, (index) => {
        const batch = index.slice(0, -2);
        const [row, column] = index.slice(-2);
        let sum = 0;
        for (let k = 0; k < x.shape[x.shape.length - 1]; k++) {
          const a = valuesOf(x)[flat([...batch, row, k], x.shape)];
          const b = valuesOf(inputs[1])[flat([...batch, k, column], inputs[1].shape)];
          sum = dtype === "int32" ? (sum + Math.imul(a, b)) | 0 : sum + a * b;
        }
        return sum;
      });
  }
  if (op.startsWith("reduce:")) return reduce(node, valuesOf(x));
  if (!(op in rules)) throw new Error(`the interpreter does not know ${op}`);
  const integral = op === "mul" && dtype === "int32";
  const rule = integral ? Math.imul : rules[op];
  return fill(shape, dtype, (index) => {
    return rule(
      ...inputs.map((input) => {
        const own = index.slice(index.length - input.shape.length);
        return valuesOf(input)[flat(own, input.shape)];
      }),
    );
  });
}

/** Scans and sorts: a line along the axis gives a line. */
function alongAxis(
  { op, inputs: [x], attributes, shape, dtype }: Node,
  data: TypedArray,
): TypedArray {
  const [axis, descending] = attributes;
  const result = createArray(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  const starts = x.shape.map((size, i) => (i === axis ? Math.min(size, 1) : size));
  forEachIndex(starts, (start) => {
    const at = (i: number) => start.map((j, k) => (k === axis ? i : j));
    const line = Array.from({ length: x.shape[axis] }, (_, i) => data[flat(at(i), x.shape)]);
    let values: number[];
    if (op === "sort") {
      const order = line.map((_, i) => i);
      values = order.sort((i, j) => (line[i] - line[j]) * (descending ? -1 : 1) || i - j);
    } else {
      const multiply = dtype === "int32" ? Math.imul : (a: number, b: number) => a * b;
      let total = op === "scan:sum" ? 0 : 1;
      values = line.map((value) => {
        total = op === "scan:sum" ? total + value : multiply(total, value);
        if (dtype === "int32") total |= 0;
        return total;
      });
    }
    for (let i = 0; i < shape[axis]; i++) result[flat(at(i), shape)] = values[i];
  });
  return result;
}

function reduce({ op, inputs: [x], attributes, shape, dtype }: Node, data: TypedArray): TypedArray {
  const sizes = attributes.map((axis) => x.shape[axis]);
  return fill(shape, dtype, (outer) => {
    let result: number | undefined;
    let where = 0;
    let position = 0;
    forEachIndex(sizes, (inner) => {
      let next = 0;
      const index = x.shape.map((_, axis) => {
        const i = attributes.indexOf(axis);
        return i === -1 ? outer[next++] : inner[i];
      });
      const value = data[flat(index, x.shape)];
      if (result === undefined) {
        result = value;
      } else if (op === "reduce:sum") {
        result = x.dtype === "int32" ? (result + value) | 0 : result + value;
      } else if (op === "reduce:prod") {
        result = x.dtype === "int32" ? Math.imul(result, value) : result * value;
      } else if (op.endsWith("max") ? value > result : value < result) {
        result = value;
        where = position;
      }
      position++;
    });
    if (op.startsWith("reduce:arg")) return where;
    return result ?? (op === "reduce:prod" ? 1 : 0);
  });
}

/** An array of the values at all indices, in row-major order. */
function fill(
  shape: readonly number[],
  dtype: DType,
  value: (index: readonly number[]) => number,
): TypedArray {
  const result = createArray(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  let i = 0;
  forEachIndex(shape, (index) => {
    const x = value(index);
    result[i++] = dtype === "bool" ? Number(x !== 0) : x;
  });
  return result;
}

function forEachIndex(shape: readonly number[], visit: (index: readonly number[]) => void): void {
  const count = shape.reduce((a, b) => a * b, 1);
  const index = shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    visit(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The position of an element in row-major order. Axes of size 1 are read at 0 whatever the index. */
function flat(index: readonly number[], shape: readonly number[]): number {
  let position = 0;
  shape.forEach((size, axis) => {
    position = position * size + (size === 1 ? 0 : index[axis]);
  });
  return position;
}
