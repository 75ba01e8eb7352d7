import { countIterations, type WrittenStage, withStrides } from "./loop-nest.ts";

/** Elements further apart than this lie in different lines of the cache. */
const lineElements = 16;
/** The most iterations of each of the two loops in a tile. */
const largestTile = 16;
/** Fewer points stay in the cache in any order, and so do the lines of a loop this short. */
const fewestPoints = 4096;
const shortLoop = 128;

/**
 * Where something is read in large steps along the last loop and in small ones along another, as in a transposed copy:
 * the same loops tile by tile, so that a line of the cache, fetched for one element, soon serves its neighbours
 * too. For stages without inner loops.
 */
export function tileLoops(
  outer: readonly number[],
  stages: readonly WrittenStage[],
): { readonly outer: readonly number[]; readonly stages: readonly WrittenStage[] } {
  const last = outer.length - 1;
  const near =
    countIterations(outer) < fewestPoints || stages.some(({ inner }) => inner.length > 0)
      ? -1
      : findNear(stages, last);
  if (near === last - 1 && outer[last] <= shortLoop) return { outer, stages };
  const [rows, columns] = [outer[near] ?? 1, outer[last]].map(tileSize);
  if (rows === 1 || columns === 1) return { outer, stages };
  const split = (list: readonly number[], a: number[], b: number[]): number[] => [
    ...list.filter((_, i) => i !== near && i !== last),
    ...[a[0], b[0], a[1], b[1]],
  ];
  return {
    outer: split(outer, [outer[near] / rows, rows], [outer[last] / columns, columns]),
    stages: stages.map((stage) =>
      withStrides(stage, (strides) => {
        const [a, b] = [strides[near], strides[last]];
        return split(strides, [a * rows, a], [b * columns, b]);
      }),
    ),
  };
}

/** The loop along which a read that is in large steps along the last one goes in small steps, or -1. */
function findNear(stages: readonly WrittenStage[], last: number): number {
  for (const { code } of stages) {
    for (const instruction of code) {
      if (instruction.op !== "load") continue;
      const steps = instruction.access.strides.map(Math.abs);
      if (steps[last] < lineElements) continue;
      const near = steps.findIndex((step) => step > 0 && step < lineElements);
      if (near >= 0) return near;
    }
  }
  return -1;
}

/** The largest divisor that is no more than a tile, or 1 if that is not worth it. */
function tileSize(size: number): number {
  for (let tile = largestTile; tile >= 4; tile--) if (size % tile === 0) return tile;
  return 1;
}
