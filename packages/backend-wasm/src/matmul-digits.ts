import {
  type Affine,
  commonDigits,
  type Guard,
  type MatmulKernel,
  windowIn,
} from "@gradloom/engine";

/** The strides of an affine expression of an operand, by what its loops are to the product. */
export interface OperandStrides {
  readonly offset: number;
  readonly batch: readonly number[];
  /** Digits of the rows of a, or of the columns of b. */
  readonly sides: readonly number[];
  /** Digits of `k`. */
  readonly terms: readonly number[];
}

/** Digits of `k` for which both operands have a stride each; `undefined` if there are none. */
export function termDigits({ a, b, k }: MatmulKernel): readonly number[] | undefined {
  return commonDigits(a.window?.columns ?? [k], b.window?.rows ?? [k]);
}

/** Where an operand's elements are, and its guards, with strides for these digits of `k`. */
export function operandStrides(
  { a, b, m, n, k, batch }: MatmulKernel,
  isA: boolean,
  digits: readonly number[],
): { readonly access: OperandStrides; readonly guards: readonly (OperandStrides & Guard)[] } {
  const operand = isA ? a : b;
  const { offset, batchStrides } = operand;
  const window = windowIn(operand, isA ? m : k, isA ? k : n);
  const columns = batch.length + window.rows.length;
  const divide = <T extends Affine>(affine: T): OperandStrides & T => {
    const { strides } = affine;
    const rows = strides.slice(batch.length, columns);
    const rest = strides.slice(columns);
    return {
      ...affine,
      batch: strides.slice(0, batch.length),
      sides: isA ? rows : rest,
      terms: isA ? spread(rest, window.columns, digits) : spread(rows, window.rows, digits),
    };
  };
  const access = divide({ offset, strides: [...batchStrides, ...window.strides] });
  return { access, guards: window.guards.map(divide) };
}

/** The strides of digits that divide others, given theirs. */
export function spread(
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
