import { type DType, type ElementOp, elementArity, erf, philox } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { checkProgram, JsBackend } from "../src/index.ts";
import { blank, content, load, loopKernel, runKernel, stage, store } from "./programs.ts";

interface Row {
  readonly dtype: DType;
  readonly args: readonly (readonly number[])[];
  readonly expected: readonly number[];
  /** The dtype of the result, if it is another. */
  readonly result?: DType;
  readonly word?: number;
}

const f = Math.fround;
const low = -(2 ** 31);
const high = 2 ** 31 - 1;
const inf = Infinity;

const floats: readonly DType[] = ["float32", "float64"];
const integers: readonly DType[] = ["int32", "uint8"];
const numbers: readonly DType[] = [...floats, ...integers];
const all: readonly DType[] = [...numbers, "bool"];

/** What comes out, worked out by hand, then a column for each argument: for each of the dtypes. */
function row(
  dtypes: DType | readonly DType[],
  expected: readonly number[],
  ...args: readonly (readonly number[])[]
): Row[] {
  return [dtypes].flat().map((dtype) => ({ dtype, args, expected }));
}

/** The same with a result of another dtype. */
function to(result: DType, rows: readonly Row[]): Row[] {
  return rows.map((entry) => ({ ...entry, result }));
}

/** A function of doubles, rounded once to float32. */
function rounded(rule: (x: number) => number, xs: readonly number[]): Row[] {
  const expected = xs.map((x) => rule(f(x)));
  return row("float32", expected, xs);
}

const cases: Readonly<Record<ElementOp, readonly Row[]>> = {
  neg: [
    ...row(floats, [-1.5, 2, -0, NaN], [1.5, -2, 0, NaN]),
    ...row("int32", [-5, low, 0], [5, low, 0]),
    ...row("uint8", [251, 0], [5, 0]),
  ],
  abs: [
    ...row(floats, [1.5, 2, inf], [1.5, -2, -inf]),
    ...row("int32", [5, 5, low], [5, -5, low]),
    ...row("uint8", [5, 200], [5, 200]),
  ],
  floor: [...row(floats, [1, -2, 2, -1], [1.5, -1.5, 2, -0.5]), ...row("int32", [-7], [-7])],
  ceil: [...row(floats, [2, -1, 2, 1], [1.5, -1.5, 2, 0.5]), ...row("int32", [-7], [-7])],
  round: [
    ...row(floats, [0, 2, 2, -0, -2, -2], [0.5, 1.5, 2.5, -0.5, -1.5, -2.5]),
    ...row(floats, [2, -3, 8388609, inf, NaN], [2.25, -2.75, 8388609, inf, NaN]),
    ...row("int32", [7, -7], [7, -7]),
  ],
  trunc: [...row(floats, [1, -1, 2], [1.75, -1.75, 2]), ...row("int32", [-7], [-7])],
  sqrt: [...row(floats, [2, 0, NaN, inf], [4, 0, -1, inf]), ...row(floats, [Math.SQRT2], [2])],
  exp: [
    ...row(floats, [1, Math.E, 0, inf, NaN], [0, 1, -inf, inf, NaN]),
    ...row("float32", [inf, 0], [89, -104]),
    ...rounded(Math.exp, [0.1, -1, 88, -103]),
  ],
  expm1: [
    ...row("float64", [1.00000000005e-10, -1], [1e-10, -inf]),
    ...rounded(Math.expm1, [0, 1e-6, 1, -3]),
  ],
  log: [
    ...row(floats, [0, -inf, NaN, inf], [1, 0, -1, inf]),
    ...row("float64", [1], [Math.E]),
    ...rounded(Math.log, [0.5, 3, 1e-30]),
  ],
  log1p: [
    ...row("float64", [0, -inf, 1e-17], [0, -1, 1e-17]),
    ...rounded(Math.log1p, [1e-6, 3, -0.5]),
  ],
  log2: [...row(floats, [0, 3, -2, -inf], [1, 8, 0.25, 0]), ...rounded(Math.log2, [3, 10])],
  sin: [...row(floats, [0, NaN], [0, inf]), ...rounded(Math.sin, [1, 100, -3])],
  cos: [...row(floats, [1, NaN], [0, inf]), ...rounded(Math.cos, [1, 100, -3])],
  tan: [...row(floats, [0, NaN], [0, inf]), ...rounded(Math.tan, [1, 1.57, -3])],
  asin: [...row(floats, [Math.PI / 2, 0, NaN], [1, 0, 1.5]), ...rounded(Math.asin, [0.3, -1])],
  acos: [...row(floats, [0, Math.PI, NaN], [1, -1, 1.5]), ...rounded(Math.acos, [0.3, 0])],
  atan: [...row(floats, [Math.PI / 2, 0], [inf, 0]), ...rounded(Math.atan, [0.3, -20])],
  sinh: [...row(floats, [0, -inf], [0, -inf]), ...rounded(Math.sinh, [1, -3, 1e-5])],
  cosh: [...row(floats, [1, inf], [0, -inf]), ...rounded(Math.cosh, [1, -3])],
  tanh: [...row(floats, [0, 1, -1], [0, inf, -50]), ...rounded(Math.tanh, [0.1, -3, 1e-5])],
  erf: [
    ...row("float32", [0, f(0.8427007929497149), -1], [0, 1, -10]),
    ...rounded(erf, [0.1, -0.7]),
  ],
  not: [
    ...row("int32", [-1, 0, -6], [0, -1, 5]),
    ...row("uint8", [255, 0, 250], [0, 255, 5]),
    ...row("bool", [1, 0], [0, 1]),
  ],
  cast: [
    ...to("int32", row(floats, [1, -1, high, low, 0, high], [1.9, -1.9, 3e9, -3e9, NaN, inf])),
    ...to("uint8", row(floats, [1, 255, 1, 255, 0], [1.9, -1, 257.5, 3e9, NaN])),
    ...to("bool", row(floats, [0, 0, 1, 1], [0, -0, 0.25, NaN])),
    ...to("float32", row("float64", [f(0.1), inf], [0.1, 1e39])),
    ...to("float64", row("float32", [f(0.1)], [0.1])),
    ...to("uint8", row("int32", [255, 0, 44], [-1, 256, 300])),
    ...to("float32", row("int32", [16777216, -3], [16777217, -3])),
    ...to("bool", row("int32", [1, 0], [256, 0])),
    ...to("int32", row("uint8", [200, 0], [200, 0])),
    ...to("bool", row("uint8", [1, 0], [200, 0])),
    ...to("float32", row("bool", [1, 0], [1, 0])),
    ...to("int32", row("bool", [1, 0], [1, 0])),
  ],
  add: [
    ...row("float32", [f(0.3), 16777216], [0.1, 16777216], [0.2, 1]),
    ...row("float64", [0.1 + 0.2, 16777217], [0.1, 16777216], [0.2, 1]),
    ...row("int32", [low, -2], [high, -5], [1, 3]),
    ...row("uint8", [4, 3], [250, 1], [10, 2]),
  ],
  sub: [
    ...row(floats, [-0.5, NaN], [1.5, inf], [2, inf]),
    ...row("int32", [high, -8], [low, -5], [1, 3]),
    ...row("uint8", [255, 7], [1, 9], [2, 2]),
  ],
  mul: [
    ...row(floats, [-3, NaN], [1.5, 0], [-2, inf]),
    ...row("float32", [inf], [1e38], [10]),
    ...row("int32", [1, 131073], [high, 65537], [high, 65537]),
    ...row("uint8", [144, 12], [20, 3], [20, 4]),
  ],
  div: [
    ...row(floats, [1.5, inf, -inf, NaN], [3, 1, -1, 0], [2, 0, 0, 0]),
    ...row(floats, [1 / 3], [1], [3]),
  ],
  floorDiv: [
    ...row(floats, [3, -4, -4, 3, -2, inf], [7, -7, 7, -7, -8, 1], [2, 2, -2, -2, 4, 0]),
    // 1 / 0.1 rounds to 10 in either precision, but the 0.1 of both is more than a tenth.
    ...row(floats, [9], [1], [0.1]),
    ...row("int32", [3, -4, -4, 3, 0, low], [7, -7, 7, -7, 5, low], [2, 2, -2, -2, 0, -1]),
    ...row("uint8", [66, 0], [200, 7], [3, 0]),
  ],
  mod: [
    ...row(floats, [1, 2, -2, -1, 1.5, NaN], [7, -7, 7, -7, 5.5, 1], [3, 3, -3, -3, 2, 0]),
    ...row("int32", [1, 2, -2, -1, 0, 0], [7, -7, 7, -7, 5, low], [3, 3, -3, -3, 0, -1]),
    ...row("uint8", [2, 0], [200, 7], [3, 0]),
  ],
  pow: [
    ...row(floats, [1024, 3, -8, 1, 0.5], [2, 9, -2, 0, 2], [10, 0.5, 3, 0, -1]),
    ...row(floats, [1, 1, NaN, 1], [1, -1, -8, NaN], [NaN, inf, 0.5, 0]),
    ...row("int32", [81, low, -8, -1, 0, 1], [3, 2, -2, -1, 2, -1], [4, 31, 3, -3, -1, -2]),
    ...row("int32", [Number(BigInt.asIntN(32, 7n ** 20n))], [7], [20]),
    ...row("uint8", [729 & 255, 0], [3, 2], [6, 8]),
  ],
  max: [
    ...row(floats, [2, NaN, NaN, 0], [1, NaN, 2, -inf], [2, 1, NaN, 0]),
    ...row("int32", [0, 5], [-1, 5], [0, 2]),
    ...row("uint8", [200, 7], [200, 5], [100, 7]),
    ...row("bool", [0, 1, 1], [0, 1, 0], [0, 0, 1]),
  ],
  min: [
    ...row(floats, [1, NaN, NaN, -inf], [1, NaN, 2, -inf], [2, 1, NaN, 0]),
    ...row("int32", [-1, 2], [-1, 5], [0, 2]),
    ...row("uint8", [100, 5], [200, 5], [100, 7]),
    ...row("bool", [1, 0, 0], [1, 1, 0], [1, 0, 1]),
  ],
  lt: [
    ...to("bool", row(numbers, [1, 0, 0], [1, 2, 3], [2, 2, 2])),
    ...to("bool", row(floats, [0, 0], [NaN, 1], [1, NaN])),
    ...to("bool", row("uint8", [1], [100], [200])),
    ...to("bool", row("int32", [1], [low], [1])),
  ],
  le: [
    ...to("bool", row(numbers, [1, 1, 0], [1, 2, 3], [2, 2, 2])),
    ...to("bool", row(floats, [0, 0], [NaN, 1], [1, NaN])),
  ],
  eq: [
    ...to("bool", row(all, [1, 0], [1, 0], [1, 1])),
    ...to("bool", row(floats, [0, 1], [NaN, 0], [NaN, -0])),
  ],
  ne: [
    ...to("bool", row(all, [0, 1], [1, 0], [1, 1])),
    ...to("bool", row(floats, [1, 0], [NaN, 0], [NaN, -0])),
  ],
  and: [
    ...row(integers, [8, 15], [12, 255], [10, 15]),
    ...row("bool", [0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1]),
  ],
  or: [
    ...row(integers, [14, 255], [12, 240], [10, 15]),
    ...row("bool", [0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]),
  ],
  xor: [
    ...row(integers, [6, 240], [12, 255], [10, 15]),
    ...row("bool", [0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]),
  ],
  shl: row("int32", [1, low, 48], [1, 1, 3], [0, 31, 4]),
  shr: row("int32", [-1, 15, 3], [-1, -1, 48], [0, 28, 4]),
  where: row(all, [1, 0, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]),
  philox: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].flatMap((zeros, word) =>
    row(
      "int32",
      [zeros | 0, philox(-1, 7, low, high, word)],
      [0, -1],
      [0, 7],
      [0, low],
      [0, high],
    ).map((entry) => ({ ...entry, word })),
  ),
};

const rows = Object.entries(cases).flatMap(([op, list]) =>
  list.map((entry) => ({ op: op as ElementOp, ...entry })),
);

describe("element operations", () => {
  test.each(rows)("$op of $dtype", ({ op, dtype, args, expected, result = dtype, word }) => {
    expect(args).toHaveLength(elementArity(op));
    const dtypes = args.map((_, i) => (op === "where" && i === 0 ? "bool" : dtype));
    const positions = args.map((_, i) => i);
    const element = { op, dtype: result, args: positions };
    const code = [
      ...dtypes.map((type, i) => load(type, i, [1])),
      word === undefined ? element : { ...element, word },
    ];
    const out = args.length;
    const stores = [store(out, out, [1])];
    const kernel = loopKernel([expected.length], [stage({ code, stores })]);
    const contents = args.map((values, i) => content(dtypes[i], values));
    const got = runKernel(new JsBackend(checkProgram), kernel, [
      ...contents,
      blank(result, expected.length),
    ]);
    expect(got[out]).toEqual(expected.map((x) => (result === "float32" ? f(x) : x)));
  });
});
