import type { MatmulKernel } from "@gradloom/engine";
import * as coreSlots from "./core-slots.ts";
import { matmulNanoseconds } from "./cost.ts";
import type { LibraryEntry } from "./library.ts";
import { countIterations } from "./loop-nest.ts";
import { batchFields, matrixFields } from "./matmul-arguments.ts";
import { compileEpilogue, epilogueOf } from "./matmul-epilogue.ts";
import { type MatmulPlan, type Matrix, planMatmul } from "./matmul-plan.ts";
import * as word from "./matmul-words.ts";
import { argumentsOf, bufferWord, type Step, type StepContext, type Word } from "./steps.ts";
import { compileWindowPacking } from "./window-packing.ts";
import { windowCode } from "./window-structure.ts";
import {
  layerBytes,
  planWinograd,
  type WinogradProduct,
  winogradOf,
  withLayer,
} from "./winograd.ts";
import { blockBytes, compileOutput } from "./winograd-output.ts";
import { layers } from "./winograd-transform.ts";

/**
 * The steps of a product of matrices in blocks. The first `sharedBytes` of the shared memory are used for something else.
 */
export function matmulSteps(
  kernel: MatmulKernel,
  context: StepContext,
  barrier = false,
  sharedBytes = 0,
): Step[] {
  const { m, n, k, batch, groups } = kernel;
  if (countIterations([...batch, m, n]) === 0) return [];
  const isKept = !groups && context.isStill;
  const winograd = winogradOf(kernel);
  const plan = winograd
    ? planWinograd(winograd, context.threads)
    : planMatmul(kernel, context.threads, isKept);
  // Where rows are in groups, blocks are counted for all matrices together.
  const matrices = groups?.along === "rows" ? 1 : plan.batches.length;
  const panels = plan.matrices.length * Math.ceil(n / 8);
  const panelBytes = plan.packB === "shared" ? panels * 32 * k : 0;
  const place: Word = isKept
    ? { kind: "kept", offset: context.keep(panelBytes) }
    : { kind: "shared", offset: sharedBytes };
  const used = isKept ? sharedBytes : sharedBytes + panelBytes;
  const { ownBytes, ...common } = matmulArguments(kernel, plan, context, place, winograd);
  const steps: Step[] = [];
  if (plan.packB === "shared") {
    steps.push({
      ...common,
      function: coreSlots.panels,
      units: panels,
      leastGrain: 2,
      nanoseconds: panels * 8 * k * 0.35,
      // Another product before this one may still be reading its panels from the same memory.
      barrier: true,
      once: isKept,
      sharedBytes: used,
      ownBytes: 0,
    });
  }
  steps.push({
    ...common,
    function: winograd ? coreSlots.patches : coreSlots.blocks,
    units: matrices * plan.rowBlocks * plan.columnBlocks,
    nanoseconds:
      matmulNanoseconds(kernel) + (plan.packA ? (groups ? 1 : matrices) * m * k * 0.3 : 0),
    leastGrain: plan.leastGrain,
    barrier: barrier || plan.packB === "shared",
    sharedBytes: used,
    ownBytes,
  });
  return steps;
}

/** The arguments of the matrix product, then those of the epilogue, then the tables. */
function matmulArguments(
  kernel: MatmulKernel,
  plan: MatmulPlan,
  { library, features }: StepContext,
  panels: Word,
  winograd: WinogradProduct | undefined,
): Pick<Step, "entries" | "words" | "argumentBytes" | "ownBytes"> {
  const { buffers, groups } = kernel;
  const { output } = plan;
  const epilogue = output ? undefined : epilogueOf(kernel);
  const { a, b, m, n, k } = winograd?.kernel ?? kernel;
  const start = word.bytes;
  const { words, argumentBytes: batches } = argumentsOf(kernel, epilogue?.told ?? [], start);
  const matrices = batches + plan.batches.length * batchFields * 4;
  const guards = matrices + plan.matrices.length * matrixFields * 4;
  const set = (at: number, content: Word): void => {
    words.push([at, content]);
  };
  const own = (offset: number): Word => ({ kind: "own", offset });
  const self = (offset: number): Word => ({ kind: "self", offset });
  const entries: LibraryEntry[] = [];
  const slot = (key: string, write: () => Uint8Array<ArrayBuffer>): Word => {
    const entry = library.get(key, write);
    entries.push(entry);
    return { kind: "slot", entry };
  };
  const buffer = (position: number, offset: number): Word =>
    bufferWord(buffers[position], 4 * offset);
  set(word.a, buffer(a.buffer, a.offset));
  set(word.b, buffer(b.buffer, b.offset));
  set(word.bounds, groups ? buffer(groups.bounds, 0) : 0);
  set(word.rowGroups, groups?.along === "rows" ? plan.batches.length : 0);
  set(word.m, m);
  set(word.n, n);
  set(word.k, k);
  set(word.aRow, 4 * a.rowStride);
  set(word.aColumn, 4 * a.columnStride);
  set(word.bRow, 4 * b.rowStride);
  set(word.bColumn, 4 * b.columnStride);
  set(word.rowBlock, plan.rowBlock);
  set(word.columnBlock, plan.columnBlock);
  set(word.termBlock, plan.termBlock);
  set(word.rowBlocks, plan.rowBlocks);
  set(word.columnBlocks, plan.columnBlocks);
  set(word.batches, self(batches));
  set(word.matrices, self(matrices));
  set(word.blockRow, plan.blockRow);
  const rows = Math.ceil(plan.rowBlock / 4) * 4;
  const plainA = plan.packA ? rows * plan.termBlock * 4 : 0;
  const plainB = plan.packB === "own" ? Math.ceil(plan.columnBlock / 8) * 32 * plan.termBlock : 0;
  const layer = winograd ? layerBytes(winograd, plan) : [0, 0, 0];
  const [bytesA, bytesB, bytesC] = winograd ? layer.map((x) => x * layers) : [plainA, plainB, 0];
  set(word.panels, plan.packB === "shared" ? panels : 0);
  set(word.packedA, plan.packA ? own(0) : 0);
  set(word.packedB, plan.packB === "own" ? own(bytesA) : 0);
  set(word.product, own(bytesA + bytesB));
  set(word.layerA, layer[0]);
  set(word.layerB, layer[1]);
  set(word.layerProduct, layer[2]);
  set(word.termsA, winograd?.kind === "result" ? k : plan.termBlock);
  set(word.block, own(bytesA + bytesB + bytesC));
  const packing = (i: number): Word => {
    const code = winograd
      ? windowCode(withLayer(winograd.structures[i], layer[i]))
      : plan.windows[i];
    return code ? slot(code.key, () => compileWindowPacking(code, features)) : 0;
  };
  set(word.windowsA, packing(0));
  set(word.windowsB, packing(1));
  if (output) {
    const { access } = output;
    set(word.c, buffer(access.buffer, access.offset));
    // The stride of a single row may be 0, which would mean that there is an epilogue.
    set(word.cRow, 4 * (access.strides[access.strides.length - 2] || n));
  } else if (epilogue) {
    const entry = winograd
      ? slot(
          `${epilogue.key} ${winograd.kind} ${winograd.size} ${plan.rowBlock} ${plan.columnBlock}`,
          () => compileOutput(epilogue, winograd, plan, features),
        )
      : slot(epilogue.key, () => compileEpilogue(epilogue, features));
    set(word.cRow, 0);
    set(word.epilogue, entry);
    set(word.epilogueArguments, self(start));
  }
  const panelBytes = Math.ceil(n / 8) * k * 32;
  const tabulate = (at: number, rows: readonly (readonly Word[])[]): void => {
    rows.flat().forEach((content, i) => {
      set(at + 4 * i, content);
    });
  };
  const guardsOf = (matrix: Matrix): Word => self(guards + 4 * matrix.guards);
  tabulate(
    batches,
    plan.batches.map(({ a: one, b: other, which, to }) => [
      ...[4 * one.offset, 4 * other.offset, which * panelBytes, 4 * to],
      ...[guardsOf(one), guardsOf(other)],
    ]),
  );
  tabulate(
    matrices,
    plan.matrices.map((matrix) => [4 * matrix.offset, guardsOf(matrix)]),
  );
  tabulate(guards, [plan.guards]);
  return {
    entries,
    words,
    argumentBytes: guards + plan.guards.length * 4,
    ownBytes:
      bytesA + bytesB + bytesC + (winograd ? blockBytes(winograd, plan) : rows * plan.blockRow),
  };
}
