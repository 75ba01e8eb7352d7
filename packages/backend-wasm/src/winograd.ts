import type { Guard, MatmulKernel, MatrixOperand } from "@gradloom/engine";
import { countIterations } from "./loop-nest.ts";
import { type OperandStrides, operandStrides, termDigits } from "./matmul-digits.ts";
import { batchTable, type MatmulPlan, roundUp } from "./matmul-plan.ts";
import type { WindowStructure } from "./window-structure.ts";
import { layers, patchSize, tileSize } from "./winograd-transform.ts";

/** A convolution with windows of 3 × 3 side by side, or its gradient with respect to the weight, as Winograd has it. */
export interface WinogradProduct {
  /** What is computed: the convolution, from tiles × channels × outChannels; or outChannels × tiles × channels. */
  readonly kind: "result" | "weight";
  /** The product that is carried out for each element of a transformed patch. Its epilogue is not used. */
  readonly kernel: MatmulKernel;
  /** How a and b are packed. The distance of layers is 0 in here. */
  readonly structures: readonly [WindowStructure, WindowStructure];
  /** Sizes of the pictures of which tiles are made. */
  readonly size: readonly number[];
}

const numTaps = 3;
/** Of a line of the cache. */
const lineBytes = 64;
/** The most rows, columns and terms of a block. */
const blocks = { result: [64, 32, 64], weight: [64, 64, 64] } as const;

/** The same product in fewer multiplications, if it can be had in that way and that is faster. */
export function winogradOf(kernel: MatmulKernel): WinogradProduct | undefined {
  const { a, b, batch, m, dtype } = kernel;
  if (kernel.groups) return;
  const digits = termDigits(kernel);
  const columns = b.window?.columns ?? [];
  if (dtype !== "float32" || !digits || a.window?.guards.length) return;
  const isResult = isTaps(digits) && columns.length === 2;
  if (!isResult && !(isTaps(columns) && digits.length >= 2)) return;
  const left = operandStrides(kernel, true, digits);
  const right = operandStrides(kernel, false, digits);
  const tilesOf = ({ sides, terms }: OperandStrides) => (isResult ? sides : terms).slice(-2);
  const tapsOf = ({ sides, terms }: OperandStrides) => (isResult ? terms : sides).slice(-2);
  const [rowStride, columnStride] = tilesOf(right.access);
  // Windows may be read from their other end: then they meet the taps in reverse.
  const signs = tapsOf(right.access).map(Math.sign);
  const isSideBySide = tapsOf(right.access).join() === `${signs[0] * rowStride},${signs[1]}`;
  if (!isSideBySide || columnStride !== 1 || rowStride < 1) return;
  const [yRow, yColumn] = tilesOf(left.access);
  if (isResult) {
    if (a.batchStrides.some((stride, i) => stride !== 0 && batch[i] > 1)) return;
  } else if (signs.includes(-1) || yColumn !== 1 || yRow < 1) return;

  const size = isResult ? columns : digits.slice(-2);
  const counts = size.map((count) => Math.ceil(count / tileSize));
  const tiles = isResult ? [...batch, ...counts] : [...digits.slice(0, -2), ...counts];
  const channels = isResult ? digits[0] : columns[0];
  const results = countIterations(isResult ? [...batch, ...size] : digits);
  if (!isWorth(channels, m, countIterations(tiles), results)) return;

  const toStart = (along: OperandStrides): number =>
    tapsOf(along).reduce((sum, stride, i) => sum + (signs[i] < 0 ? 2 * stride : 0), 0);
  const guards: (OperandStrides & Guard)[] = [];
  const axes: number[] = [];
  for (const guard of right.guards) {
    const along = tilesOf(guard);
    const within = tapsOf(guard);
    const axis = along.indexOf(1);
    if (axis < 0 || along[1 - axis] !== 0) return;
    if (within[axis] !== signs[axis] || within[1 - axis] !== 0) return;
    const offset = guard.offset + toStart(guard);
    // Each patch has a column in the picture, so that its rows may be read.
    const last = offset + tileSize * (counts[1] - 1);
    const others = [
      ...guard.batch,
      ...(isResult ? guard.terms.slice(0, 1) : guard.terms.slice(0, -2)),
    ];
    if (axis === 1 && (offset <= -patchSize || last >= guard.size || others.some(Boolean))) return;
    guards.push({ ...guard, offset });
    axes.push(axis);
  }
  /** What patches, or tiles, that reach beyond the last one must not read. */
  const ends = (length: number, present: readonly number[]) =>
    [0, 1].flatMap((axis) => {
      if (present.includes(axis) || size[axis] % tileSize === 0) return [];
      const on = [1 - axis, axis];
      const none = (list: readonly number[]): number[] => list.map(() => 0);
      const { batch: inBatch, sides, terms } = right.access;
      const guard = {
        offset: 0,
        size: size[axis] + length,
        strides: none(batch),
        batch: none(inBatch),
        sides: isResult ? on : none(sides),
        terms: isResult ? none(terms) : [...none(terms.slice(0, -2)), ...on],
      };
      return [{ guard, axis }];
    });
  const structure = (
    step: 16 | 32,
    sides: readonly number[],
    {
      access,
      guards: checked,
    }: { access: OperandStrides; guards: readonly (OperandStrides & Guard)[] },
    isPatch: boolean,
    places: number[][],
    about: readonly number[],
  ): WindowStructure => ({
    step,
    sides,
    terms: isResult ? [channels] : tiles,
    lines: [access, ...checked].map(({ batch: inBatch, sides: s, terms: t }, i) => {
      const unit = i === 0 ? 4 : 1;
      const scale = (list: readonly number[], isTiles: boolean): number[] =>
        list.map((x, d) => x * unit * (isTiles && d >= list.length - 2 ? tileSize : 1));
      if (!isResult) {
        return { sides: scale(isPatch ? s.slice(0, 1) : s, false), terms: scale(t, true) };
      }
      const own = scale(s, isPatch);
      return {
        sides: isPatch ? [...scale(inBatch, false), ...own] : own,
        terms: scale(t.slice(0, 1), false),
      };
    }),
    guards: checked.map(({ size: limit }) => limit),
    patch: { places, axes: about, layer: 0 },
  });
  const square = (length: number, row: number, column: number): number[][] =>
    Array.from({ length }, (_, i) => Array.from({ length }, (_, j) => 4 * (i * row + j * column)));
  /** The operand's start, and what its guards start from. */
  const operand = (
    { buffer, offset, batchStrides }: MatrixOperand,
    start: number,
    checked: readonly Guard[],
  ): MatrixOperand => ({
    buffer,
    offset: offset + start,
    batchStrides: isResult ? [] : batchStrides,
    rowStride: 0,
    columnStride: 0,
    window: { rows: [], columns: [], strides: [], guards: checked },
  });

  const extra = ends(numTaps - 1, axes);
  const all = [...guards, ...extra.map(({ guard }) => guard)];
  const windows = operand(b, toStart(right.access), all);
  const patches = structure(
    isResult ? 16 : 32,
    isResult ? tiles : [channels],
    { access: right.access, guards: all },
    true,
    square(patchSize, rowStride, 1),
    [...axes, ...extra.map(({ axis }) => axis)],
  );
  const rows = a.window?.rows ?? [m];
  if (isResult) {
    const steps = tapsOf(left.access).map((stride, i) => stride * signs[i]);
    const places = square(numTaps, steps[0], steps[1]);
    const least = Math.min(...places.flat());
    const start = toStart(left.access) + least / 4;
    return {
      kind: "result",
      kernel: {
        ...kernel,
        batch: [],
        m: countIterations(tiles),
        n: m,
        k: channels,
        a: windows,
        b: operand(a, start, []),
      },
      structures: [
        patches,
        structure(
          32,
          rows,
          left,
          false,
          places.map((row) => row.map((place) => place - least)),
          [],
        ),
      ],
      size,
    };
  }
  const cut = ends(0, []);
  const checked = cut.map(({ guard }) => guard);
  return {
    kind: "weight",
    kernel: {
      ...kernel,
      n: channels,
      k: countIterations(tiles),
      a: operand(a, 0, checked),
      b: windows,
    },
    structures: [
      structure(
        16,
        rows,
        { access: left.access, guards: checked },
        false,
        square(tileSize, yRow, 1),
        cut.map(({ axis }) => axis),
      ),
      patches,
    ],
    size,
  };
}

function isTaps(digits: readonly number[]): boolean {
  return digits.length === 3 && digits[1] === numTaps && digits[2] === numTaps;
}

/** Whether transforms cost less than the multiplications that they save, for each pair of channels. */
function isWorth(channels: number, outChannels: number, tiles: number, results: number): boolean {
  const direct = numTaps ** 2 * results;
  return Math.min(channels, outChannels) >= 8 && 1.2 * layers * roundUp(tiles, 4) + 72 < direct;
}

/** Chooses blocks. What is computed does not depend on them, to the last bit. */
export function planWinograd({ kind, kernel }: WinogradProduct, threads: number): MatmulPlan {
  const { m, n, k } = kernel;
  const cut = (size: number, most: number, unit: number): number =>
    roundUp(Math.ceil(size / Math.ceil(size / most)), unit);
  const rowBlock = cut(m, blocks[kind][0], 4);
  const columnBlock = cut(n, blocks[kind][1], 8);
  const rowBlocks = Math.ceil(m / rowBlock);
  const columnBlocks = Math.ceil(n / columnBlock);
  return {
    rowBlock,
    columnBlock,
    termBlock: cut(k, blocks[kind][2], 8),
    rowBlocks,
    columnBlocks,
    packA: true,
    packB: "own",
    // Packed patches serve all columns.
    leastGrain:
      kind === "result" ? Math.ceil(columnBlocks / (rowBlocks < threads ? threads : 1)) : 1,
    output: undefined,
    ...batchTable(kernel, undefined),
    blockRow: 0,
  };
}

/**
 * Bytes from a layer to the next, of packed a and b and of the product in a thread's memory. Those of one patch must not
 * compete for the same places in the cache, as they would at a distance of a power of two.
 */
export function layerBytes(
  { kind, kernel }: WinogradProduct,
  { rowBlock, columnBlock, termBlock }: MatmulPlan,
): readonly [a: number, b: number, product: number] {
  const termsA = kind === "result" ? kernel.k : termBlock;
  return [
    4 * rowBlock * termsA + lineBytes,
    4 * columnBlock * termBlock + lineBytes,
    4 * rowBlock * columnBlock + lineBytes,
  ];
}

/** A structure whose packed layers take so many bytes. */
export function withLayer(structure: WindowStructure, layer: number): WindowStructure {
  const { places = [], axes = [] } = structure.patch ?? {};
  return { ...structure, patch: { places, axes, layer } };
}
