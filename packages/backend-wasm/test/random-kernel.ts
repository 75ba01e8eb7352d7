import type { Kernel, LoopKernel, ReduceOp, Result, Store } from "@gradloom/engine";
import type { Draw } from "./draw.ts";
import { KernelBuilder, ProgramBuilder, type RandomProgram } from "./kernel-builder.ts";
import type { Expression } from "./random-expression.ts";

/** One to three random kernels, some of which read what others wrote. */
export function randomProgram(draw: Draw): RandomProgram {
  const builder = new ProgramBuilder(draw);
  const count = draw.pick([1, 1, 1, 2, 3]);
  for (let i = 0; i < count; i++) {
    builder.add(draw.pick(kinds)(builder));
  }
  return builder.finish();
}

/** Starts a stage's code with random reads and lets it grow. */
function drawCode(
  kernel: KernelBuilder,
  code: Expression,
  inner: readonly number[],
  last: boolean,
): void {
  const { draw } = kernel;
  kernel.earlierResults(code, last);
  const loads = draw.int(1, 4);
  for (let i = 0; i < loads; i++) kernel.load(code, inner);
  if (draw.chance(20)) kernel.scalar(code);
  if (draw.chance(20)) kernel.index(code, inner);
  const count = draw.int(0, 12);
  for (let i = 0; i < count; i++) code.grow();
  if (inner.length === 1 && draw.chance(25)) code.scan(draw.pick(["sum", "prod"]), inner[0]);
}

const reductions: readonly ReduceOp[] = ["sum", "sum", "max", "min", "prod", "argmax", "argmin"];

function drawReduce(draw: Draw, inner: readonly number[]): ReduceOp | undefined {
  if (inner.length === 0) return undefined;
  // Nothing has a sum and a product, but no maximum and no position.
  return draw.pick(inner.includes(0) ? ["sum", "prod"] : reductions);
}

/** A map, a reduction, or a row kernel with several stages. */
function randomLoopKernel(program: ProgramBuilder): {
  builder: KernelBuilder;
  kernel: LoopKernel;
} {
  const { draw } = program;
  const kind = draw.pick(["map", "map", "reduce", "row"] as const);
  // Some are large enough to be shared among threads.
  const budget = draw.pick([300, 300, 1000, 1000, 4000]);
  const outer = drawSizes(draw, draw.int(kind === "map" ? 1 : 0, kind === "map" ? 4 : 3), budget);
  const points = outer.reduce((product, size) => product * size, 1);
  const row = drawSizes(draw, draw.int(1, 3), Math.max((2 * budget) / Math.max(points, 1), 2));
  const inners: (readonly number[])[] = kind === "map" ? [[]] : [row];
  if (kind === "row") {
    const more = draw.int(0, 2);
    for (let i = 0; i < more; i++) {
      inners.push(draw.chance(70) ? row : drawSizes(draw, draw.int(0, 2), 40));
    }
  }
  if (kind !== "map") inners.push(kind === "row" && draw.chance(70) ? row : []);
  const kernel = new KernelBuilder(program, outer);
  inners.forEach((inner, i) => {
    const last = i === inners.length - 1;
    const code = kernel.expression();
    drawCode(kernel, code, inner, last);
    const results: Result[] = [];
    const count = last ? 0 : draw.int(1, 2);
    for (let r = 0; r < count; r++) {
      results.push(kernel.result(code, inner, drawReduce(draw, inner)));
    }
    const stores: Store[] = [];
    const outputs = last
      ? Math.max(Math.min(code.unused.length, draw.int(2, 5)), 1)
      : draw.pick([0, 0, 0, 0, 1]);
    for (let s = 0; s < outputs; s++) stores.push(kernel.store(code, inner));
    if (kind === "row" && !last && draw.chance(60)) stores.push(kernel.keepRow(code, inner));
    kernel.stages.push({ inner, code: code.code, stores, results });
  });
  return kernel.finish(kind);
}

/** Sums or maxima of values at indices. */
function randomScatter(program: ProgramBuilder): { builder: KernelBuilder; kernel: Kernel } {
  const { draw } = program;
  const budget = draw.pick([300, 1000, 4000, 20000]);
  const outer = drawSizes(draw, draw.int(0, 2), draw.pick([1, 10, 300]));
  const points = outer.reduce((product, size) => product * size, 1);
  const inner = drawSizes(draw, draw.int(0, 2), budget / Math.max(points, 1));
  const size = draw.pick([5, 1, 2, 33, 200]);
  const kernel = new KernelBuilder(program, outer);
  const code = kernel.expression();
  drawCode(kernel, code, inner, true);
  const combine = draw.pick(["sum", "sum", "max"] as const);
  const index = kernel.checkedIndex(code, inner, size).position;
  const { position, dtype, low, high } = code.reducible(combine);
  const count = inner.reduce((product, length) => product * length, 1);
  const range = combine === "sum" ? [low * count, high * count] : [low, high];
  const target = kernel.fill(
    dtype,
    [...outer, size],
    [Math.min(range[0], 0), Math.max(range[1], 0)],
  );
  const { buffers, scalars } = kernel;
  const stage = { inner, code: code.code, stores: [], results: [] };
  const common = { kind: "scatter", label: ["scatter"], buffers, scalars } as const;
  return {
    builder: kernel,
    kernel: { ...common, dtype, combine, outer, size, stage, index, value: position, target },
  };
}

/** The positions of the first elements in order. */
function randomSort(program: ProgramBuilder): { builder: KernelBuilder; kernel: Kernel } {
  const { draw } = program;
  const size = draw.pick([7, 1, 2, 40, 300, 1000, 3000]);
  const outer = drawSizes(draw, draw.int(0, 2), 4000 / size);
  const kernel = new KernelBuilder(program, outer);
  const sizes = [...outer, size];
  const { dtype, access: source } = kernel.source(sizes);
  const count = draw.pick([size, size, draw.int(0, Math.min(size, 20)), draw.int(0, size)]);
  const target = kernel.fill("int32", [...outer, count], [0, size]);
  const { buffers, scalars } = kernel;
  const common = { kind: "sort", label: ["sort"], buffers, scalars } as const;
  const descending = draw.chance(50);
  return {
    builder: kernel,
    kernel: { ...common, dtype, descending, outer, size, count, source, target },
  };
}

const kinds = [
  randomLoopKernel,
  randomLoopKernel,
  randomLoopKernel,
  randomLoopKernel,
  randomScatter,
  randomSort,
  randomMatmul,
];

/** A product of matrices with an epilogue. */
function randomMatmul(program: ProgramBuilder): { builder: KernelBuilder; kernel: Kernel } {
  const { draw } = program;
  const batch = drawSizes(draw, draw.pick([0, 0, 0, 1, 2]), 6);
  const [m, n, k] = draw.shuffle(drawSizes(draw, 3, draw.chance(15) ? 60000 : 6000));
  const [rows, columns, terms] = [m, n, k].map((size) => drawDigits(draw, size));
  const kernel = new KernelBuilder(program, [...batch, m, n]);
  const dtype = draw.pick(["float32", "float32", "float32", "float64", "int32"] as const);
  const a = kernel.operand(dtype, batch, rows, joinSome(draw, terms));
  const b = kernel.operand(dtype, batch, joinSome(draw, terms), columns);
  const code = kernel.expression();
  const range = kernel.operandRange(a) * kernel.operandRange(b) * k;
  code.push({ op: "product", dtype }, -range, range);
  if (draw.chance(60)) drawCode(kernel, code, [], true);
  const stores: Store[] = [];
  const outputs = Math.max(Math.min(code.unused.length, draw.int(1, 4)), 1);
  for (let s = 0; s < outputs; s++) stores.push(kernel.store(code, []));
  const epilogue = { inner: [], code: code.code, stores, results: [] };
  const { buffers, scalars } = kernel;
  const label = ["matmul"];
  return {
    builder: kernel,
    kernel: { kind: "matmul", label, buffers, scalars, dtype, batch, m, n, k, a, b, epilogue },
  };
}

/** A size as the product of one to three. */
function drawDigits(draw: Draw, size: number): number[] {
  const digits = [size];
  while (digits.length < 3 && draw.chance(30)) {
    const digit = draw.pick([1, 2, 3, 4, 5, 7, 8]);
    if (digits[0] % digit === 0) digits.splice(0, 1, digits[0] / digit, digit);
  }
  return draw.shuffle(digits);
}

/** The same digits, with neighbours made one here and there. */
function joinSome(draw: Draw, digits: readonly number[]): number[] {
  const joined: number[] = [];
  for (const digit of digits) {
    if (joined.length > 0 && draw.chance(30)) joined.push((joined.pop() as number) * digit);
    else joined.push(digit);
  }
  return joined;
}

/** Sizes of nested loops with at most about `budget` points; seldom one of them is 0. */
function drawSizes(draw: Draw, count: number, budget: number): number[] {
  const sizes: number[] = [];
  let left = budget;
  for (let i = 0; i < count; i++) {
    const size = draw.pick([3, 1, 2, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 70, 100, 257, 1000]);
    const cut = Math.max(Math.min(size, Math.floor(left)), 1);
    sizes.push(draw.chance(1) ? 0 : cut);
    left /= cut;
  }
  return draw.shuffle(sizes);
}
