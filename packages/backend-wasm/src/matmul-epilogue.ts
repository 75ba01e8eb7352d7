import { type MatmulKernel, resized } from "@gradloom/engine";
import type { FunctionWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import { openFrame, writeChunk, writeDigits } from "./loop-kernel.ts";
import { collapseLoops, writtenStage } from "./loop-nest.ts";
import { epilogueParameters } from "./matmul-arguments.ts";
import { StageWriter } from "./stage-writer.ts";
import { type LoopCode, tellNumbers } from "./told-numbers.ts";

/** What is written for an epilogue. Code is told its matrix and its rows, so there may be any number of them. */
export function epilogueOf({ batch, m, n, epilogue, buffers }: MatmulKernel): LoopCode {
  const { outer, stages } = collapseLoops([...batch, m, n], [epilogue], 2);
  return tellNumbers({
    buffers,
    outer: resized(outer, outer.length - 2, 1),
    stages: stages.map((stage) => writtenStage(stage, outer.length)),
    scratch: [],
    lanesAcross: true,
  });
}

/**
 * A module whose function `k` runs the epilogue of a matrix product on a block of the product, while
 * that is in the cache. Its parameters are those of `epilogueParameters`. If there is somebody to write what uses the
 * epilogue, that is `k`.
 */
export function compileEpilogue(
  code: LoopCode,
  features: Features,
  writeCaller?: (caller: FunctionWriter, epilogue: number) => void,
): Uint8Array<ArrayBuffer> {
  const frame = openFrame(code, features, epilogueParameters, writeCaller ? undefined : "k");
  const { w, outer, digits, product } = frame;
  const { f, module } = w;
  const [, block, blockRow, batch, i0, rows, j0, columns] = epilogueParameters.keys();
  const [rowDigit, columnDigit] = digits.slice(-2);
  const left = f.local();
  const writer = new StageWriter(frame, code.stages[0], []);
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
