import {
  type Affine,
  BackendError,
  type Instruction,
  type LoopKernel,
  type MatmulKernel,
  type MatrixOperand,
  type Stage,
} from "@gradloom/engine";

/**
 * A matrix product as a loop kernel: a sum for each element, then the epilogue. For the element types and
 * the sizes that blocking has nothing to offer to. Rows, columns and terms of windows are as many loops as they have
 * digits.
 */
export function matmulAsLoops(kernel: MatmulKernel): LoopKernel {
  const { a, b, batch, m, n, k, dtype, epilogue } = kernel;
  const rows = a.window?.rows ?? [m];
  const columns = b.window?.columns ?? [n];
  const terms = termDigits(kernel);
  if (terms === undefined) {
    throw new BackendError(
      `compile: the digits of k must nest, got ${a.window?.columns} and ${b.window?.rows}.`,
    );
  }
  const load = (operand: MatrixOperand, isA: boolean): Instruction => {
    const { buffer, offset, batchStrides, rowStride, columnStride } = operand;
    const sizes = [operand.window?.rows ?? [isA ? m : k], operand.window?.columns ?? [isA ? k : n]];
    const count = sizes[0].length;
    const move = <T extends Affine>(affine: T): T => {
      const [inBatch, matrix] = divide(affine.strides, batch.length);
      const [alongRows, alongColumns] = divide(matrix, count);
      const strides = isA
        ? [...alongRows, ...columns.map(() => 0), ...spread(alongColumns, sizes[1], terms)]
        : [...rows.map(() => 0), ...alongColumns, ...spread(alongRows, sizes[0], terms)];
      return { ...affine, strides: [...inBatch, ...strides] };
    };
    const strides = operand.window?.strides ?? [rowStride, columnStride];
    const access = move({ buffer, offset, strides: [...batchStrides, ...strides] });
    return { op: "load", dtype, guards: (operand.window?.guards ?? []).map(move), access };
  };
  const product: Stage = {
    inner: terms,
    code: [load(a, true), load(b, false), { op: "mul", dtype, args: [0, 1] }],
    stores: [],
    results: [{ value: 2, reduce: "sum" }],
  };
  const move = <T extends Affine>(affine: T): T => {
    const [inBatch, [row, column]] = divide(affine.strides, batch.length);
    const strides = [...spread([row], [m], rows), ...spread([column], [n], columns)];
    return { ...affine, strides: [...inBatch, ...strides] };
  };
  const code = epilogue.code.map((instruction): Instruction => {
    switch (instruction.op) {
      case "product":
        return { op: "result", dtype: instruction.dtype, stage: 0, result: 0 };
      case "load": {
        const { access, guards } = instruction;
        return { ...instruction, access: move(access), guards: guards.map(move) };
      }
      case "index":
        return move(instruction);
      default:
        return instruction;
    }
  });
  const stores = epilogue.stores.map((store) => ({ ...store, access: move(store.access) }));
  return {
    kind: "loop",
    buffers: kernel.buffers,
    scalars: kernel.scalars,
    label: kernel.label,
    outer: [...batch, ...rows, ...columns],
    scratch: [],
    stages: [product, { ...epilogue, code, stores }],
  };
}

/** Digits of `k` of which both operands' digits are made, or `undefined` if theirs do not nest. */
export function termDigits({ a, b, k }: MatmulKernel): readonly number[] | undefined {
  const [one, other] = [[...(a.window?.columns ?? [k])], [...(b.window?.rows ?? [k])]];
  const digits: number[] = [];
  // From the inside: the smaller digit, and what it leaves of the larger one.
  let [x, y] = [1, 1];
  while (k > 0) {
    while (x === 1 && one.length > 0) x = one.pop() as number;
    while (y === 1 && other.length > 0) y = other.pop() as number;
    if (x * y === 1) return digits.length > 0 ? digits : [1];
    const digit = Math.min(x, y);
    if (Math.max(x, y) % digit !== 0) return undefined;
    digits.unshift(digit);
    x /= digit;
    y /= digit;
  }
  return [k];
}

/** The strides of digits that divide others, given theirs. */
function spread(
  strides: readonly number[],
  sizes: readonly number[],
  digits: readonly number[],
): number[] {
  const result: number[] = [];
  let i = sizes.length - 1;
  let unit = 1;
  for (const digit of [...digits].reverse()) {
    while (i > 0 && unit === sizes[i]) {
      i--;
      unit = 1;
    }
    result.unshift(strides[i] * unit);
    unit *= digit;
  }
  return result;
}

function divide(list: readonly number[], at: number): [readonly number[], readonly number[]] {
  return [list.slice(0, at), list.slice(at)];
}
