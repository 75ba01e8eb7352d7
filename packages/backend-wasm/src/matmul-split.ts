import { type LoopKernel, type MatmulKernel, type MatrixOperand, rowMajor } from "@gradloom/engine";
import { countIterations } from "./loop-nest.ts";
import { operandStrides, termDigits } from "./matmul-digits.ts";
import { sumAsLoops } from "./matmul-loop.ts";

/** A sum of this many terms is cut, unless there are so many of them that threads have enough to do. */
const longSum = 8192;
const manySums = 65536;
/** A part has so many terms at least, and there are so many parts at most. */
const partTerms = 2048;
const mostParts = 16;

/**
 * The same for one product of few rows and columns, as the gradient of a small weight is: a thread that has made some of
 * the rows of both operands adds up those, and only the parts go from core to core. They must be smaller than the operands, and there must be work enough for another step.
 */
const localTerms = 128;
const localWork = 2 ** 19;

/** Stands for the memory that all threads share, in the list of a kernel's buffers. */
export const sharedBuffer = -1;

/** Two kernels that compute a product: its parts, and their sum. */
export interface SplitMatmul {
  readonly parts: MatmulKernel;
  readonly sum: LoopKernel;
  /** Bytes of shared memory for the parts. */
  readonly bytes: number;
}

/**
 * A product with few elements, each a long sum, as the sum of several products, so that threads can share it; `undefined`
 * for others. Where it is cut does not depend on the number of threads, so neither do the results.
 */
export function splitTerms(kernel: MatmulKernel): SplitMatmul | undefined {
  const { batch, m, n, k, dtype } = kernel;
  const digits = termDigits(kernel);
  const isSmall = 4 * m * n <= (m + n) * localTerms && m * n * k >= localWork;
  const isLocal = isSmall && countIterations(batch) === 1;
  const least = isLocal ? 2 * localTerms : longSum;
  if (kernel.groups || !digits || k < least || countIterations(batch) * m * n > manySums) return;
  // Whole digits from the outside, then a part of the next one.
  const outer: number[] = [];
  const inner = [...digits];
  let left = Math.min(mostParts, Math.floor(k / (isLocal ? localTerms : partTerms)));
  while (inner.length > 0) {
    const whole = inner[0];
    let part = Math.min(whole, left);
    while (whole % part !== 0) part--;
    outer.push(part);
    left = Math.floor(left / part);
    inner[0] = whole / part;
    if (part < whole) break;
    inner.shift();
  }
  const parts = countIterations(outer);
  if (parts === 1) return;
  const cut = (operand: MatrixOperand, isA: boolean): MatrixOperand => {
    const { access, guards } = operandStrides(kernel, isA, [...outer, ...inner]);
    const divide = ({ batch: inBatch, sides, terms }: typeof access) => {
      const rest = terms.slice(outer.length);
      return {
        batchStrides: [...inBatch, ...terms.slice(0, outer.length)],
        matrix: isA ? [...sides, ...rest] : [...rest, ...sides],
      };
    };
    const { batchStrides, matrix } = divide(access);
    const { window } = operand;
    if (!window) return { ...operand, batchStrides };
    return {
      ...operand,
      batchStrides,
      window: {
        rows: isA ? window.rows : inner,
        columns: isA ? inner : window.columns,
        strides: matrix,
        guards: guards.map((guard) => {
          const divided = divide(guard);
          const strides = [...divided.batchStrides, ...divided.matrix];
          return { offset: guard.offset, size: guard.size, strides };
        }),
      },
    };
  };
  // The parts lie one behind the other, in the order of the loops.
  const sizes = [...batch, ...outer, m, n];
  const strides = rowMajor(sizes);
  const buffer = kernel.buffers.length;
  const buffers = [...kernel.buffers, sharedBuffer];
  const place = (loops: readonly number[]) => ({ buffer, offset: 0, strides: loops });
  const at = batch.length + outer.length;
  return {
    bytes: 4 * countIterations(sizes),
    parts: {
      ...kernel,
      buffers,
      scalars: [],
      batch: [...batch, ...outer],
      k: k / parts,
      a: cut(kernel.a, true),
      b: cut(kernel.b, false),
      epilogue: {
        inner: [],
        code: [{ op: "product", dtype }],
        stores: [{ value: 0, access: place(strides) }],
        results: [],
      },
    },
    sum: sumAsLoops(
      { ...kernel, buffers },
      {
        inner: outer,
        code: [
          {
            op: "load",
            dtype,
            guards: [],
            access: place([
              ...strides.slice(0, batch.length),
              ...strides.slice(at),
              ...strides.slice(batch.length, at),
            ]),
          },
        ],
        stores: [],
        results: [{ value: 0, reduce: "sum" }],
      },
      [m],
      [n],
    ),
  };
}
