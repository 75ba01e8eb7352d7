import type { Tensor } from "@gradloom/tensor";
import { expect } from "vitest";
import { decode, type StoredTensor } from "./fixture.ts";

/** How far a value may be from PyTorch's: `relative · |expected| + absolute · max(1, largest expected)`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** What is compared of an operation. */
export type Part = "values" | "gradients" | "second gradients";

interface Errors {
  cases: number;
  absolute: number;
  relative: number;
}

/** Far more than rounding in a few operations leads to, far less than any mistake. */
const tolerances: Readonly<Record<string, Tolerance>> = {
  float32: { relative: 1e-5, absolute: 1e-6 },
  float64: { relative: 1e-12, absolute: 1e-13 },
};
const exact: Tolerance = { relative: 0, absolute: 0 };

/** Compares tensors with what PyTorch gave, and remembers the largest errors of each operation. */
export class Comparison {
  private readonly errors = new Map<string, Partial<Record<Part, Errors>>>();
  private readonly special: Readonly<Record<string, Tolerance>>;

  /** @param special - wider tolerances of some operations in float32, each with its reason. */
  constructor(special: Readonly<Record<string, Tolerance>> = {}) {
    this.special = special;
  }

  /** Fails with the largest error and where it is. */
  check(op: string, part: Part, actual: Tensor, expected: StoredTensor, what: string): void {
    expect(actual.dtype, `${what}: dtype`).toBe(expected.dtype);
    expect([...actual.shape], `${what}: shape`).toEqual(expected.shape);
    const got = Array.from(actual.dataSync(), Number);
    // The fixtures hold the shortest decimals that round to PyTorch's numbers.
    const exactly = expected.dtype === "float32" ? Math.fround : (x: number) => x;
    const wanted = expected.data.map((value) => exactly(decode(value)));
    this.checkNumbers(op, part, got, wanted, expected.dtype, what);
  }

  /** {@link check} for plain numbers, such as losses. */
  checkNumbers(
    op: string,
    part: Part,
    got: readonly number[],
    wanted: readonly number[],
    dtype: string,
    what: string,
  ): void {
    expect(got.length, `${what}: number of values`).toBe(wanted.length);
    const usual = tolerances[dtype] ?? exact;
    const tolerance = dtype === "float32" ? (this.special[op] ?? usual) : usual;
    const largest = wanted.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);
    const row = this.row(op, part);
    row.cases++;
    let worst = { excess: 0, index: 0 };
    for (let i = 0; i < wanted.length; i++) {
      const error = difference(got[i], wanted[i]);
      row.absolute = Math.max(row.absolute, error);
      // Next to values a thousand times larger, a relative error says nothing.
      const scale = Math.max(Math.abs(wanted[i]), largest / 1000);
      if (error > 0) row.relative = Math.max(row.relative, error / scale);
      const { relative, absolute } = tolerance;
      const excess = error - relative * Math.abs(wanted[i]) - absolute * Math.max(1, largest);
      if (error > 0 && (excess > worst.excess || Number.isNaN(excess))) {
        worst = { excess: Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess, index: i };
      }
    }
    if (worst.excess === 0) return;
    const { index } = worst;
    expect.fail(
      `${what}: element ${index} must be ${wanted[index]}, got ${got[index]}.\n` +
        `PyTorch: ${preview(wanted)}\nhere:    ${preview(got)}`,
    );
  }

  /** The largest relative error of a part of an operation; `undefined` if nothing was compared. */
  largestRelative(op: string, part: Part): number | undefined {
    return this.errors.get(op)?.[part]?.relative;
  }

  /** The largest errors of each operation, as a table. */
  table(title: string): string {
    const number = (errors: Errors | undefined, kind: "absolute" | "relative") =>
      (errors === undefined ? "" : errors[kind].toExponential(1)).padStart(9);
    const parts: readonly Part[] = ["values", "gradients", "second gradients"];
    const lines = [
      `${title}: largest errors against PyTorch, absolute and relative`,
      `${"".padEnd(26)}${"cases".padStart(6)}${parts.map((part) => part.padStart(20)).join("")}`,
    ];
    for (const [op, row] of this.errors) {
      const cells = parts.map(
        (p) => `  ${number(row[p], "absolute")}${number(row[p], "relative")}`,
      );
      lines.push(`${op.padEnd(26)}${String(row.values?.cases ?? 0).padStart(6)}${cells.join("")}`);
    }
    return lines.map((line) => line.trimEnd()).join("\n");
  }

  private row(op: string, part: Part): Errors {
    const row = this.errors.get(op) ?? {};
    this.errors.set(op, row);
    row[part] ??= { cases: 0, absolute: 0, relative: 0 };
    return row[part];
  }
}

/** |a − b|; 0 for the same infinity or NaN on both sides, infinite if only one side has it. */
function difference(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY;
}

function preview(values: readonly number[]): string {
  const shown = values.slice(0, 12).map((x) => Number(x.toPrecision(8)));
  return `[${shown.join(", ")}${values.length > 12 ? ", …" : ""}]`;
}
