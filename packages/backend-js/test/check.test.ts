import { BackendError, type Instruction, type MatmulKernel, type Program } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { checkProgram, JsBackend } from "../src/index.ts";
import { blank, type KernelBody, load, loopKernel, programOf, stage, store } from "./programs.ts";

const float = blank("float32", 4);

function refuse(program: Program, message: string): void {
  let error: unknown;
  try {
    new JsBackend(checkProgram).compile(program);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(BackendError);
  expect((error as BackendError).message).toBe(message);
}

const two: readonly Instruction[] = [load("float32", 0, [1]), load("bool", 1, [1])];

describe("the check of programs", () => {
  test.each<[string, readonly Instruction[]]>([
    ["the dtype of an accessed buffer must be int32, got float32", [load("int32", 0, [1])]],
    ["a named buffer must exist, got number 7", [load("float32", 7, [1])]],
    ["the number of strides must be 1, got 2", [load("float32", 0, [1, 1])]],
    [
      "the number of strides must be 1, got 0",
      [load("float32", 0, [1], 0, [{ offset: 0, strides: [], size: 1 }])],
    ],
    [
      "a named earlier value must exist, got number 2",
      [...two, { op: "neg", dtype: "float32", args: [2] }],
    ],
    [
      "the number of arguments of add must be 2, got 1",
      [...two, { op: "add", dtype: "float32", args: [0] }],
    ],
    [
      "the dtype of another argument of add must be float32, got bool",
      [...two, { op: "add", dtype: "float32", args: [0, 1] }],
    ],
    [
      "the dtype of the result of add must be float32, got float64",
      [...two, { op: "add", dtype: "float64", args: [0, 0] }],
    ],
    [
      "the dtype of the result of lt must be bool, got float32",
      [...two, { op: "lt", dtype: "float32", args: [0, 0] }],
    ],
    [
      "the dtype of the condition of where must be bool, got float32",
      [...two, { op: "where", dtype: "float32", args: [0, 0, 0] }],
    ],
    ["exp must get a dtype it is for, got bool", [...two, { op: "exp", dtype: "bool", args: [1] }]],
    [
      "the dtype of the arguments of shl must be int32, got float32",
      [...two, { op: "shl", dtype: "float32", args: [0, 0] }],
    ],
    [
      "the word of philox must be 0 to 3, got 4",
      [
        { op: "constant", dtype: "int32", value: 1 },
        { op: "philox", dtype: "int32", args: [0, 0, 0, 0], word: 4 },
      ],
    ],
    ["a named scalar must exist, got number 0", [{ op: "scalar", dtype: "float32", scalar: 0 }]],
    [
      "a named earlier stage must exist, got number 0",
      [{ op: "result", dtype: "float32", stage: 0, result: 0 }],
    ],
    ["a product's dtype must be undefined, got float32", [{ op: "product", dtype: "float32" }]],
  ])("%s", (problem, code) => {
    const program = programOf(loopKernel([4], [stage({ code })]), [float, blank("bool", 4)]);
    refuse(program, `compile: kernel 0 (loop, test): ${problem}.`);
  });

  test("a result must be reduced over inner loops, and have its reduction's dtype", () => {
    const code = [load("float32", 0, [1])];
    const inner = (reduce: "argmax" | undefined) =>
      stage({ inner: [4], code, results: [{ value: 0, reduce }] });
    refuse(
      programOf(loopKernel([], [inner(undefined)]), [float]),
      "compile: kernel 0 (loop, test): a result of inner loops must be reduced, got 1 inner loops.",
    );
    const reads = stage({ code: [{ op: "result", dtype: "float32", stage: 0, result: 0 }] });
    refuse(
      programOf(loopKernel([], [inner("argmax"), reads]), [float]),
      "compile: kernel 0 (loop, test): a result's dtype must be int32, got float32.",
    );
    const bools = stage({
      inner: [4],
      code: [load("bool", 0, [1])],
      results: [{ value: 0, reduce: "sum" }],
    });
    refuse(
      programOf(loopKernel([], [bools]), [blank("bool", 4)]),
      "compile: kernel 0 (loop, test): sum must be of numbers, got bool.",
    );
  });

  test("stores need the dtype of their buffer; scratch has no outer strides", () => {
    const code = [load("float32", 0, [1])];
    const scratch = [{ dtype: "float32", length: 4 }] as const;
    refuse(
      programOf(loopKernel([4], [stage({ code, stores: [store(0, 1, [1])] })]), [
        float,
        blank("int32", 4),
      ]),
      "compile: kernel 0 (loop, test): the dtype of an accessed buffer must be float32, got int32.",
    );
    refuse(
      programOf(loopKernel([4], [stage({ code, stores: [store(0, 1, [1])] })], scratch), [float]),
      "compile: kernel 0 (loop, test): scratch must be accessed with stride 0 in the outer loops, got 1.",
    );
  });

  test("operands of a product have its dtype and lie inside their buffers", () => {
    const operand = { buffer: 0, offset: 0, batchStrides: [], rowStride: 2, columnStride: 1 };
    const matmul = (parts: Partial<MatmulKernel>): KernelBody => ({
      kind: "matmul",
      dtype: "float32",
      batch: [],
      m: 2,
      n: 2,
      k: 2,
      a: operand,
      b: operand,
      epilogue: stage({ code: [] }),
      label: ["matmul"],
      ...parts,
    });
    const refuseMatmul = (parts: Partial<MatmulKernel>, problem: string): void =>
      refuse(programOf(matmul(parts), [float]), `compile: kernel 0 (matmul, matmul): ${problem}.`);
    refuseMatmul({ dtype: "float64" }, "the dtype of an operand must be float64, got float32");
    refuseMatmul({ dtype: "bool" }, "a product must have a dtype it is for, got bool");
    refuseMatmul({ batch: [2] }, "the number of batch strides must be 1, got 0");
    refuseMatmul({ k: 3 }, "an operand must lie inside its buffer of 4, got elements 0 to 4");
    refuseMatmul(
      { b: { ...operand, rowStride: -2 } },
      "an operand must lie inside its buffer of 4, got elements -2 to 1",
    );
    refuseMatmul(
      { epilogue: stage({ inner: [2], code: [] }) },
      "the number of inner loops of an epilogue must be 0, got 1",
    );
    refuseMatmul(
      {
        epilogue: stage({
          code: [{ op: "product", dtype: "float32" }],
          results: [{ value: 0, reduce: undefined }],
        }),
      },
      "the number of results of an epilogue must be 0, got 1",
    );
  });

  test("the arena holds its buffers; every kernel says whether it waits", () => {
    const program = programOf(loopKernel([4], []), [float]);
    const buffers = [{ dtype: "float32", length: 4, arenaOffset: 8 }] as const;
    refuse(
      { ...program, buffers, arenaBytes: 16 },
      "compile: buffer 0 must be aligned and inside the arena of 16 bytes, got 8 to 24.",
    );
    refuse(
      { ...program, barriers: [] },
      "compile: barriers must be as many as the 1 kernels, got 0.",
    );
  });
});
