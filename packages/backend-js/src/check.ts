import {
  type Access,
  type Affine,
  BackendError,
  byteSize,
  type DType,
  type ElementInstruction,
  elementArity,
  type Instruction,
  type Kernel,
  type MatrixOperand,
  type Program,
  type ReduceOp,
  type Stage,
} from "@gradloom/engine";
import { elementRule } from "./element-rules.ts";

/** What surrounds a stage: the dtypes of what it can name, the loops around it. */
interface Scope {
  readonly arrays: readonly DType[];
  readonly scalars: readonly DType[];
  readonly outerCount: number;
  readonly earlier: readonly Stage[];
  /** Of the contraction, in an epilogue. */
  readonly product: DType | undefined;
  readonly scratchFrom: number;
}

/**
 * Refuses a program whose description contradicts itself, so that a mistake of the scheduler shows here
 * and not as a wrong number in another backend.
 *
 * @throws BackendError naming the kernel and what is wrong with it.
 */
export function checkProgram(program: Program): void {
  const { kernels, barriers, buffers, arenaBytes } = program;
  must(
    barriers.length === kernels.length,
    () =>
      `compile: barriers must be as many as the ${kernels.length} kernels, got ${barriers.length}`,
  );
  buffers.forEach(({ dtype, length, arenaOffset }, i) => {
    if (arenaOffset === undefined) return;
    const end = arenaOffset + length * byteSize[dtype];
    must(
      arenaOffset % byteSize[dtype] === 0 && end <= arenaBytes,
      () =>
        `compile: buffer ${i} must be aligned and inside the arena of ${arenaBytes} bytes, ` +
        `got ${arenaOffset} to ${end}`,
    );
  });
  kernels.forEach((kernel, i) => {
    try {
      checkKernel(kernel, program);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      const label = kernel.label.join(" ");
      throw new BackendError(`compile: kernel ${i} (${kernel.kind}, ${label}): ${error.message}`);
    }
  });
}

function checkKernel(kernel: Kernel, program: Program): void {
  const buffers = kernel.buffers.map((buffer) => named(program.buffers, buffer, "buffer").dtype);
  const scalars = kernel.scalars.map((scalar) => named(program.scalars, scalar, "scalar"));
  if (kernel.kind === "loop") {
    const scratch = kernel.scratch.map(({ dtype }) => dtype);
    kernel.stages.forEach((stage, i) => {
      checkStage(stage, {
        arrays: [...buffers, ...scratch],
        scalars,
        outerCount: kernel.outer.length,
        earlier: kernel.stages.slice(0, i),
        product: undefined,
        scratchFrom: buffers.length,
      });
    });
    return;
  }
  if (kernel.kind === "scatter") {
    const { stage, index, value, target, outer, dtype } = kernel;
    const scope = { arrays: buffers, scalars, outerCount: outer.length, earlier: [] };
    checkStage(stage, { ...scope, product: undefined, scratchFrom: buffers.length });
    equal(stage.stores.length + stage.results.length, 0, "the number of stores and results");
    equal(named(stage.code, value, "value").dtype, dtype, "the dtype of what is scattered");
    equal(named(stage.code, index, "index").dtype, "int32", "the dtype of an index");
    checkWhole(target, [...outer, kernel.size], dtype, kernel, program);
    return;
  }
  if (kernel.kind === "repeat") {
    const { slots, kernels, barriers } = kernel;
    for (const { dtype, length, buffer, offset, step, period, initial } of slots) {
      const { dtype: whole, length: size } =
        program.buffers[named(kernel.buffers, buffer, "buffer")];
      const strides = { offset: (offset * byteSize[dtype]) / byteSize[whole], strides: [step, 1] };
      if (whole === dtype) checkInside(strides, [period, length], size);
      else equal(whole, "uint8", "the dtype of a work space");
      if (initial !== undefined) named(kernel.buffers, initial, "buffer");
    }
    const buffers = slots.map(({ dtype, length }) => ({ dtype, length, arenaOffset: undefined }));
    checkProgram({ kernels, barriers, buffers, scalars: [], arenaBytes: 0 });
    return;
  }
  if (kernel.kind === "sort") {
    const { source, target, outer, size, count, dtype } = kernel;
    must(count <= size, () => `the count must be at most ${size}, got ${count}`);
    checkWhole(source, [...outer, size], dtype, kernel, program);
    checkWhole(target, [...outer, count], "int32", kernel, program);
    return;
  }
  const { a, b, batch, dtype, epilogue, groups } = kernel;
  if (groups) {
    equal(dtype, "float32", "the dtype of a product of groups");
    equal(batch.length, 1, "the number of batch loops of groups");
    const bounds = { buffer: groups.bounds, offset: 0, strides: [1] };
    checkWhole(bounds, [batch[0] + 1], "int32", kernel, program);
  }
  must(
    ["float32", "float64", "int32"].includes(dtype),
    () => `a product must have a dtype it is for, got ${dtype}`,
  );
  for (const operand of [a, b]) {
    equal(named(buffers, operand.buffer, "buffer"), dtype, "the dtype of an operand");
    equal(operand.batchStrides.length, batch.length, "the number of batch strides");
    const sizes = operand === a ? [...batch, kernel.m, kernel.k] : [...batch, kernel.k, kernel.n];
    checkOperand(operand, sizes, program.buffers[kernel.buffers[operand.buffer]].length);
  }
  equal(epilogue.inner.length, 0, "the number of inner loops of an epilogue");
  equal(epilogue.results.length, 0, "the number of results of an epilogue");
  checkStage(epilogue, {
    arrays: buffers,
    scalars,
    outerCount: batch.length + 2,
    earlier: [],
    product: dtype,
    scratchFrom: buffers.length,
  });
}

function checkOperand(operand: MatrixOperand, sizes: readonly number[], length: number): void {
  const { window, batchStrides, rowStride, columnStride, offset } = operand;
  if (!window) {
    checkInside({ offset, strides: [...batchStrides, rowStride, columnStride] }, sizes, length);
    return;
  }
  const [rows, columns] = sizes.slice(-2);
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  equal(product(window.rows), rows, "the product of the digits of rows");
  equal(product(window.columns), columns, "the product of the digits of columns");
  const digits = window.rows.length + window.columns.length;
  equal(window.strides.length, digits, "the number of strides of a window");
  for (const guard of window.guards) checkStrides(guard, batchStrides.length + digits);
  if (window.guards.length > 0) return;
  const strides = [...batchStrides, ...window.strides];
  checkInside(
    { offset, strides },
    [...sizes.slice(0, -2), ...window.rows, ...window.columns],
    length,
  );
}

/** Checks an access that touches its buffer at each point of the loops. */
function checkWhole(
  access: Access,
  sizes: readonly number[],
  dtype: DType,
  kernel: Kernel,
  program: Program,
): void {
  const buffer = program.buffers[named(kernel.buffers, access.buffer, "buffer")];
  equal(buffer.dtype, dtype, "the dtype of an accessed buffer");
  checkStrides(access, sizes.length);
  checkInside(access, sizes, buffer.length);
}

function checkInside({ offset, strides }: Affine, sizes: readonly number[], length: number): void {
  if (sizes.includes(0)) return;
  let first = offset;
  let last = offset;
  strides.forEach((stride, axis) => {
    const reach = stride * (sizes[axis] - 1);
    if (reach < 0) first += reach;
    else last += reach;
  });
  must(
    first >= 0 && last < length,
    () => `an operand must lie inside its buffer of ${length}, got elements ${first} to ${last}`,
  );
}

function checkStage(stage: Stage, scope: Scope): void {
  const { code, inner, stores, results } = stage;
  const loopCount = scope.outerCount + inner.length;
  code.forEach((instruction, i) => {
    checkInstruction(instruction, code.slice(0, i), scope, loopCount);
  });
  for (const { value, access } of stores) {
    checkAccess(access, named(code, value, "value").dtype, scope, loopCount);
  }
  for (const { value, reduce } of results) {
    const { dtype } = named(code, value, "value");
    must(
      reduce !== undefined || inner.length === 0,
      () => `a result of inner loops must be reduced, got ${inner.length} inner loops`,
    );
    must(
      dtype !== "bool" || (reduce !== "sum" && reduce !== "prod"),
      () => `${reduce} must be of numbers, got bool`,
    );
  }
}

function checkInstruction(
  instruction: Instruction,
  earlier: readonly Instruction[],
  scope: Scope,
  loopCount: number,
): void {
  switch (instruction.op) {
    case "load":
      checkAccess(instruction.access, instruction.dtype, scope, loopCount);
      for (const guard of instruction.guards) checkStrides(guard, loopCount);
      if (instruction.index) checkIndex(instruction.index.value, earlier);
      return;
    case "index":
      checkStrides(instruction, loopCount);
      return;
    case "constant":
      return;
    case "scalar":
      equal(
        instruction.dtype,
        named(scope.scalars, instruction.scalar, "scalar"),
        "a scalar's dtype",
      );
      return;
    case "result": {
      const { code, results } = named(scope.earlier, instruction.stage, "earlier stage");
      const { value, reduce } = named(results, instruction.result, "result");
      equal(instruction.dtype, resultDType(code[value].dtype, reduce), "a result's dtype");
      return;
    }
    case "product":
      equal(instruction.dtype, scope.product, "a product's dtype");
      return;
    case "check":
      checkIndex(instruction.arg, earlier);
      return;
    case "scan":
      equal(loopCount - scope.outerCount, 1, "the number of inner loops of a scan");
      equal(
        instruction.dtype,
        named(earlier, instruction.arg, "earlier value").dtype,
        "the dtype of a scan",
      );
      return;
    default:
      checkElement(instruction, earlier);
  }
}

function checkIndex(position: number, earlier: readonly Instruction[]): void {
  equal(named(earlier, position, "earlier value").dtype, "int32", "the dtype of an index");
}

function checkElement(instruction: ElementInstruction, earlier: readonly Instruction[]): void {
  const { op, dtype, args, word } = instruction;
  const dtypes = args.map((arg) => named(earlier, arg, "earlier value").dtype);
  equal(args.length, elementArity(op), `the number of arguments of ${op}`);
  if (op === "where") equal(dtypes.shift(), "bool", "the dtype of the condition of where");
  for (const other of dtypes) equal(other, dtypes[0], `the dtype of another argument of ${op}`);
  if (op === "shl" || op === "shr" || op === "philox") {
    equal(dtypes[0], "int32", `the dtype of the arguments of ${op}`);
  }
  must(
    elementRule(op, dtypes[0], dtype) !== undefined,
    () => `${op} must get a dtype it is for, got ${dtypes[0]}`,
  );
  must(
    op !== "philox" || [0, 1, 2, 3].includes(word ?? -1),
    () => `the word of philox must be 0 to 3, got ${word}`,
  );
  const comparison = op === "lt" || op === "le" || op === "eq" || op === "ne";
  const natural = comparison ? "bool" : dtypes[0];
  equal(dtype, op === "cast" ? dtype : natural, `the dtype of the result of ${op}`);
}

function checkAccess(access: Access, dtype: DType, scope: Scope, loopCount: number): void {
  equal(named(scope.arrays, access.buffer, "buffer"), dtype, "the dtype of an accessed buffer");
  checkStrides(access, loopCount);
  const outer = access.strides.slice(0, scope.outerCount);
  must(
    access.buffer < scope.scratchFrom || outer.every((stride) => stride === 0),
    () => `scratch must be accessed with stride 0 in the outer loops, got ${outer.join(", ")}`,
  );
}

function checkStrides({ strides }: Affine, loopCount: number): void {
  equal(strides.length, loopCount, "the number of strides");
}

function resultDType(value: DType, reduce: ReduceOp | undefined): DType {
  return reduce === "argmax" || reduce === "argmin" ? "int32" : value;
}

function named<T>(list: readonly T[], position: number, what: string): T {
  must(position in list, () => `a named ${what} must exist, got number ${position}`);
  return list[position];
}

function equal<T extends string | number | undefined>(got: T, expected: T, what: string): void {
  must(got === expected, () => `${what} must be ${expected}, got ${got}`);
}

function must(holds: boolean, message: () => string): void {
  if (!holds) throw new BackendError(`${message()}.`);
}
