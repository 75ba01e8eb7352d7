import type { MatmulKernel } from "@gradloom/engine";
import { argumentLayout } from "./argument-block.ts";
import { type FunctionWriter, ModuleWriter } from "./assembler.ts";
import { importHostMath } from "./expression.ts";
import type { Features } from "./features.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import {
  addresses,
  knownLength,
  lanesOf,
  writeChunk,
  writeDigits,
  writtenBuffers,
} from "./loop-kernel.ts";
import { collapseLoops, writtenStage } from "./loop-nest.ts";
import { epilogueParameters } from "./matmul-arguments.ts";
import { StageWriter } from "./stage-writer.ts";
import { VectorWriter } from "./vector-writer.ts";

/** An epilogue, with what its code knows of the product that it belongs to. */
export interface Epilogue extends Pick<MatmulKernel, "batch" | "n" | "epilogue"> {
  /** How many. */
  readonly buffers: number;
}

/** What products with the same code have in common. Code is told its matrix and its rows, so there may be any number of them. */
export function epilogueOf({ batch, m, n, epilogue, buffers }: MatmulKernel): Epilogue {
  const { outer, stages } = collapseLoops([...batch, m, n], [epilogue], 2);
  const matrices = outer.slice(0, -2).map((size, i) => (i > 0 ? size : 0));
  return { batch: matrices, n: knownLength(n), epilogue: stages[0], buffers: buffers.length };
}

/**
 * A module whose function `k` runs the epilogue of a matrix product on a block of the product, while
 * that is in the cache. Its parameters are those of `epilogueParameters`. If there is somebody to write what uses the
 * epilogue, that is `k`.
 */
export function compileEpilogue(
  kernel: Epilogue,
  features: Features,
  writeCaller?: (caller: FunctionWriter, epilogue: number) => void,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory(features.sharedMemory);
  const stage = writtenStage(kernel.epilogue, kernel.batch.length + 2);
  const host = importHostMath(module, [stage.code]);
  const f = module.function(epilogueParameters, [], writeCaller ? undefined : "k");
  const [, block, blockRow, batch, i0, rows, j0, columns] = epilogueParameters.keys();
  const w = new VectorWriter(module, f, features, host);
  const outer = [...kernel.batch, 0, kernel.n];
  const layout = argumentLayout(kernel.buffers);
  const digits = outer.map(() => f.local());
  const [rowDigit, columnDigit] = digits.slice(-2);
  const [product, left] = f.locals(2);
  const frame: KernelFrame = {
    w,
    outer,
    lanesAcross: true,
    lanes: lanesOf([stage]),
    digits,
    written: writtenBuffers([stage]),
    address: addresses(w, layout),
    scalarOffset: layout.scalarOffset,
    product,
  };
  const writer = new StageWriter(frame, stage, []);
  writer.writeStart();

  writeDigits(frame, batch, outer.length - 2);
  const nextRow = f.loop();
  f.get(i0).set(rowDigit).get(j0).set(columnDigit).get(block).set(product).get(columns).set(left);
  writeChunk(frame, [writer], left, (lanes) => f.add(product, 4 * lanes));
  f.advance(block, blockRow);
  f.add(i0, 1);
  f.countDown(rows, nextRow).end();
  writeCaller?.(module.function(epilogueParameters, [], "k"), f.index);
  return module.finish();
}
