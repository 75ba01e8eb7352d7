import type { MatmulKernel } from "@gradloom/engine";
import { argumentLayout } from "./argument-block.ts";
import { type FunctionWriter, ModuleWriter } from "./assembler.ts";
import { importHostMath } from "./expression.ts";
import type { Features } from "./features.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { addresses, lanesOf, writeChunk, writtenBuffers } from "./loop-kernel.ts";
import { collapseLoops, writtenStage } from "./loop-nest.ts";
import { epilogueParameters } from "./matmul-arguments.ts";
import * as i32 from "./opcodes/i32.ts";
import { StageWriter } from "./stage-writer.ts";
import { VectorWriter } from "./vector-writer.ts";

/**
 * A module whose function `k` runs the epilogue of a matrix product on a block of the product, while
 * that is in the cache. Its parameters are those of `epilogueParameters`. If there is somebody to write what uses the
 * epilogue, that is `k`.
 */
export function compileEpilogue(
  kernel: MatmulKernel,
  features: Features,
  writeCaller?: (caller: FunctionWriter, epilogue: number) => void,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory(features.sharedMemory);
  const host = importHostMath(module, [kernel.epilogue.code]);
  const f = module.function(epilogueParameters, [], writeCaller ? undefined : "k");
  const [, block, blockRow, batch, i0, rows, j0, columns] = epilogueParameters.keys();
  const w = new VectorWriter(module, f, features, host);
  const { outer, stages } = collapseLoops(
    [...kernel.batch, kernel.m, kernel.n],
    [kernel.epilogue],
    2,
  );
  const layout = argumentLayout(kernel);
  const digits = outer.map(() => f.local());
  const [rowDigit, columnDigit] = digits.slice(-2);
  const [product, left] = f.locals(2);
  const frame: KernelFrame = {
    w,
    outer,
    lanesAcross: true,
    lanes: lanesOf(stages),
    digits,
    written: writtenBuffers(stages),
    address: addresses(w, (buffer) => layout.bufferOffset(buffer)),
    scalarOffset: layout.scalarOffset,
    product,
  };
  const writer = new StageWriter(frame, writtenStage(stages[0], outer.length), []);
  writer.writeStart();

  for (let i = outer.length - 3; i >= 0; i--) {
    f.get(batch).i32(outer[i]).op(i32.rem_u).set(digits[i]);
    f.get(batch).i32(outer[i]).op(i32.div_u).set(batch);
  }
  const nextRow = f.loop();
  f.get(i0).set(rowDigit).get(j0).set(columnDigit).get(block).set(product).get(columns).set(left);
  writeChunk(frame, [writer], left, (lanes) => f.add(product, 4 * lanes));
  f.advance(block, blockRow);
  f.add(i0, 1);
  f.countDown(rows, nextRow).end();
  writeCaller?.(module.function(epilogueParameters, [], "k"), f.index);
  return module.finish();
}
