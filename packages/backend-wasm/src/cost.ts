import { elementCost, type LoopKernel, type MatmulKernel, type Stage } from "@gradloom/engine";
import { countIterations } from "./loop-nest.ts";

/** Nanoseconds, roughly, on one thread: what decides whether a kernel is worth a second one. */
export function loopNanoseconds(kernel: LoopKernel): number {
  // Partial sums of a long row have to be set up and combined.
  let row = kernel.stages.some(({ inner }) => countIterations(inner) >= 8) ? 2 : 0;
  for (const stage of kernel.stages) row += stageNanoseconds(stage) * countIterations(stage.inner);
  return row * countIterations(kernel.outer);
}

/** The same for the blocked matrix product. */
export function matmulNanoseconds(kernel: MatmulKernel): number {
  const { batch, m, n, k, groups, epilogue } = kernel;
  const matrices = countIterations(batch);
  // Each row of a group is in one of the matrices; so is each term.
  const products = (groups ? 1 : matrices) * m * n;
  const points = groups?.along === "rows" ? products : matrices * m * n;
  return products * (k / 22) + points * stageNanoseconds(epilogue);
}

/** For one point. */
export function stageNanoseconds(stage: Stage): number {
  let cost = 0;
  for (const instruction of stage.code) {
    if (instruction.op === "load") cost += instruction.index ? 10 : 1.5;
    else if (instruction.op === "check") cost += 1;
    else if (instruction.op === "scan") cost += 60;
    else cost += elementCost(instruction.op) * (instruction.dtype === "float64" ? 4 : 1);
  }
  return (cost + 1.5 * stage.stores.length + 2 * stage.results.length) * 0.02;
}
