import { type MatrixOperand, resized } from "@gradloom/engine";
import { tellInto } from "./told-numbers.ts";

/** An amount that grows by a stride with each digit of a side and of a term: an address, or what a guard checks. */
interface Line {
  readonly sides: readonly number[];
  readonly terms: readonly number[];
}

/** What is packed in place of each element: a patch of a picture, transformed as Winograd's algorithm wants it. */
interface Patch {
  /** Bytes from a patch's start to each of its elements, by rows. From one column to the next it is 4 unless these are taps. */
  readonly places: readonly (readonly number[])[];
  /** For each guard, whether it is about rows (0) or columns (1) of the patch. */
  readonly axes: readonly number[];
  /** Bytes from one of the transformed elements to the next. */
  readonly layer: number;
}

/** What a packing function depends on. Terms are the positions of `k`, sides are the rows of a or the columns of b. */
export interface WindowStructure {
  /** Bytes from a term to the next in a panel: four or eight sides. */
  readonly step: 16 | 32;
  /** Sizes of the digits, outermost first. */
  readonly sides: readonly number[];
  readonly terms: readonly number[];
  /** Addresses in bytes, then the guards. */
  readonly lines: readonly Line[];
  /** What each guard's value must be less than. */
  readonly guards: readonly number[];
  readonly patch?: Patch;
}

/** How to pack the windows that an operand consists of; digits that are one digit to all lines become one. */
export function windowsOf(operand: MatrixOperand, isA: boolean): WindowCode | undefined {
  const { window, batchStrides } = operand;
  if (!window) return undefined;
  const rows = window.rows.length;
  const line = (strides: readonly number[], unit: number): [number[], number[]] => {
    const bytes = strides.map((stride) => stride * unit);
    return [bytes.slice(0, rows), bytes.slice(rows)];
  };
  const all = [
    line(window.strides, 4),
    ...window.guards.map(({ strides }) => line(strides.slice(batchStrides.length), 1)),
  ];
  const merged = [window.rows, window.columns].map((digits, i) =>
    mergeDigits(
      digits,
      all.map((strides) => strides[i]),
    ),
  );
  const [[sides, sideStrides], [terms, termStrides]] = isA ? merged : merged.reverse();
  return windowCode({
    step: isA ? 16 : 32,
    sides,
    terms,
    lines: all.map((_, i) => ({ sides: sideStrides[i], terms: termStrides[i] })),
    guards: window.guards.map(({ size }) => size),
  });
}

/** What code is written for. */
export interface WindowCode extends WindowStructure {
  /** What windows of the same code have in common. */
  readonly key: string;
  /** In what they differ: code finds it behind what the guards start from. */
  readonly told: readonly number[];
}

/**
 * What code knows of windows: there may be any number of the first digits, unless a guard depends on them. Without guards it is told
 * sizes and strides, so that batches, and sequences of another length, compile nothing.
 */
export function windowCode(structure: WindowStructure): WindowCode {
  const { sides, terms, lines, guards, patch } = structure;
  const isFree = lines.every(({ terms: strides }, i) => i === 0 || strides[0] === 0);
  const known = {
    ...structure,
    sides: resized(sides, 0, 0),
    terms: isFree ? resized(terms, 0, Math.min(terms[0], 4)) : terms,
  };
  const told: number[] = [];
  const nameOf = tellInto(told, guards.length > 0 || patch);
  const key = JSON.stringify(known, (name, n) =>
    name === "step" || typeof n !== "number" ? n : nameOf(n),
  );
  return { ...known, key, told };
}

/** Leaves out digits of one value, and makes one of neighbours that are one to all lines. */
function mergeDigits(
  sizes: readonly number[],
  lines: readonly (readonly number[])[],
): [sizes: number[], lines: number[][]] {
  const merged = [...sizes];
  const strides = lines.map((line) => [...line]);
  for (let i = merged.length - 2; i >= 0; i--) {
    const size = merged[i + 1];
    const one = size === 1 || merged[i] === 1;
    if (!one && !strides.every((line) => line[i] === line[i + 1] * size)) continue;
    // Of a digit with one value the other's strides are left, else those of the inner one.
    const gone = size === 1 ? i + 1 : i;
    merged.splice(i, 2, merged[i] * size);
    for (const line of strides) line.splice(gone, 1);
  }
  return [merged, strides];
}
