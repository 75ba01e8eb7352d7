import { positionOf, withAffines } from "@gradloom/engine";
import { startsOf, wideRow } from "./inductions.ts";
import { exactKey } from "./library.ts";
import { affinesOf, countIterations, type WrittenKernel, type WrittenStage } from "./loop-nest.ts";

/** Numbers from this one on are told: code for shorter loops is better for knowing their length. */
const leastTold = 16;

/** What stands for numbers in a key: sizes and strides are no fractions. Those that are told are put into a list. */
export function tellInto(told: number[], isFixed: unknown): (n: number) => number {
  return (n) => (isFixed || n < leastTold ? n : positionOf(told, n) + 0.5);
}

/** Whether sums have so many terms in each lane that they are made of several: rounding errors stay small. */
export function hasLongSums({ inner }: WrittenStage, lanesAcross: boolean): boolean {
  return countIterations(inner) > (lanesAcross ? 1024 : 4096);
}

/** What code knows of the length of an outer loop along which the lanes lie, of which it is told a range. */
export function knownLength(size: number): number {
  return size < leastTold ? size : size < wideRow ? leastTold + (size % 4) : wideRow;
}

/** A kernel of loops, and along which of them the lanes lie: see {@link KernelFrame.lanesAcross}. */
export interface LoopForm extends Omit<WrittenKernel, "kind" | "scalars" | "label"> {
  readonly lanesAcross: boolean;
}

/** What code is written for. */
export interface LoopCode extends LoopForm {
  /** What kernels of the same code have in common. */
  readonly key: string;
  /** In what they differ: code finds it behind the addresses in its block of arguments. */
  readonly told: readonly number[];
}

/**
 * Sizes, and the strides and counts that follow from them, are no part of the code: it is told them, so that a batch of another
 * size compiles nothing. Equal numbers are told once; kernels in which others are equal are not alike. Code knows strides along
 * the lanes, how far apart accesses with the same strides are, and all of a kernel that has guards.
 */
export function tellNumbers(loops: LoopForm): LoopCode {
  const { buffers, outer, stages, scratch, padding, lanesAcross } = loops;
  const told: number[] = [];
  const isFixed =
    padding || stages.some((stage) => affinesOf(stage).some((affine) => "size" in affine));
  const nameOf = tellInto(told, isFixed);
  const form = [
    buffers.length,
    lanesAcross && knownLength(outer[outer.length - 1]),
    padding,
    scratch.map(({ dtype }) => dtype),
    outer.slice(1).map(nameOf),
    stages.map((stage) => {
      const { inner } = stage;
      const startOf = startsOf(stage);
      const starts: number[] = [];
      const laneLoop = laneLoopOf(stage, outer, lanesAcross);
      const relative = withAffines(stage, (affine) => {
        const start = startOf(affine);
        starts.push(nameOf(start));
        const strides = affine.strides.map((n, loop) => (loop === laneLoop ? n : nameOf(n)));
        return { ...affine, offset: affine.offset - start, strides };
      });
      // What is left over of a loop with lanes is written for its length.
      const rest = lanesAcross || inner[inner.length - 1] % 16;
      const isLong = hasLongSums(stage, lanesAcross);
      return [{ ...relative, inner: inner.map(nameOf) }, starts, rest, isLong];
    }),
  ];
  return { ...loops, told, key: exactKey(form, stages) };
}

/** The loop along which the lanes of a stage lie, or -1: there is none, each value is one for all lanes. */
export function laneLoopOf(
  { inner }: WrittenStage,
  outer: readonly number[],
  lanesAcross: boolean,
): number {
  if (lanesAcross) return outer.length - 1;
  return inner.length > 0 ? outer.length + inner.length - 1 : -1;
}
