import {
  byteSize,
  type DType,
  type Guard,
  type Instruction,
  type LoadInstruction,
  rowMajor,
} from "@gradloom/engine";
import { countIterations, rangeOf, type WrittenStage } from "./loop-nest.ts";

type Loops = { readonly outer: readonly number[]; readonly stages: readonly WrittenStage[] };

/** Makes a copy, with what is around it, of what windows read: a stage of the first outer loops alone. */
interface PaddedCopy extends WrittenStage {
  readonly dtype: DType;
  /** Elements of the copy, and what is around. */
  readonly length: number;
  readonly outside: number;
}

/** The copies that a kernel reads, behind its other buffers. Each iteration of the first `prefix` outer loops has its own. */
export interface Padding {
  readonly prefix: number;
  readonly copies: readonly PaddedCopy[];
}

/** An axis of a copy: how far loops go along it, and the range of its positions. */
interface Axis extends Omit<Guard, "size"> {
  /** Elements of the original from a position to the next. */
  readonly step: number;
  low: number;
  length: number;
  /** The positions that there are something at. */
  readonly start: number;
  readonly count: number;
}

/** Loops of phases and taps are no longer: of guards of such alone is known whether they hold once these are written out. */
const longestPhases = 4;
/** A copy stays in a core's cache, a small one in its nearest. There are so many that threads can share them. */
const [mostBytes, smallBytes] = [1 << 19, 1 << 16];
const leastCopies = 16;

/**
 * Has windows read copies of pictures with what is around them, so that nobody asks whether an element is there. At
 * the edges that costs several times the sum, and in small pictures edges are anywhere.
 */
export function padLoads(loops: Loops, firstCopy: number): Loops & { readonly padding?: Padding } {
  const { outer, stages } = loops;
  let isPhased = false;
  const loads = stages.flatMap(({ inner, code }) =>
    code.flatMap((load) => {
      if (load.op !== "load") return [];
      const sizes = [...outer, ...inner];
      const guards = load.guards.filter(({ strides }) =>
        sizes.some((size, loop) => strides[loop] !== 0 && size > longestPhases),
      );
      isPhased ||= guards.length < load.guards.length;
      return guards.length > 0 ? [{ load, guards, sizes }] : [];
    }),
  );
  // The loops before those that guards depend on, as far as they move what is copied.
  let prefix = Math.min(
    outer.length,
    ...loads.flatMap(({ guards }) => guards.map(({ strides }) => strides.findIndex(isStep))),
  );
  while (prefix > 0 && loads.every(({ load }) => load.access.strides[prefix - 1] === 0)) prefix--;
  if (countIterations(outer.slice(0, prefix)) < leastCopies) return loops;

  const copies: PaddedCopy[] = [];
  const padded = new Map<Instruction, Instruction>();
  let [bytes, gain] = [0, 0];
  for (const { load, guards, sizes } of loads) {
    const { dtype, access, index, outside = 0 } = load;
    const axes = axesOf(load, guards, sizes, prefix);
    const isWritten = stages.some(({ stores }) =>
      stores.some((store) => store.access.buffer === access.buffer),
    );
    if (!axes || index || byteSize[dtype] !== 4 || isWritten) return loops;
    const around = axes.reduce((sum, axis) => sum + axis.length / axis.count - 1, 0);
    // Vectors are stored where they are aligned.
    const last = axes[axes.length - 1];
    const shift = (last.low - last.start) & 3;
    last.low -= shift;
    last.length = (last.length + shift + 3) & ~3;
    const pitches = rowMajor(axes.map((axis) => axis.length));
    const length = pitches[0] * axes[0].length;
    const dot = (steps: readonly number[], positions: (axis: Axis) => number): number =>
      axes.reduce((sum, axis, i) => sum + steps[i] * positions(axis), 0);
    // Phases have some of the taps each.
    gain += (around * countIterations(sizes.slice(prefix))) / length / (isPhased ? 2 : 1);
    bytes += 4 * length;
    const buffer = firstCopy + copies.length;
    const steps = axes.map(({ step }) => step);
    const from = {
      buffer: access.buffer,
      offset: access.offset + dot(steps, ({ start, offset }) => start - offset),
      strides: [...access.strides.slice(0, prefix), ...steps],
    };
    const to = {
      buffer,
      offset: dot(pitches, ({ start, low }) => start - low),
      strides: [...new Array<number>(prefix).fill(0), ...pitches],
    };
    copies.push({
      inner: axes.map(({ count }) => count),
      code: [{ ...load, access: from, guards: [] }],
      stores: [{ value: 0, access: to }],
      results: [],
      dtype,
      length,
      outside,
    });
    padded.set(load, {
      ...load,
      access: {
        buffer,
        offset: dot(pitches, ({ offset, low }) => offset - low),
        strides: sizes.map((_, loop) =>
          loop < prefix ? 0 : dot(pitches, ({ strides }) => strides[loop]),
        ),
      },
      guards: load.guards.filter((guard) => !guards.includes(guard)),
    });
  }
  // Elements around for each of the original's, times how often each is read: where these are many, guards cost more than a copy.
  if (bytes > mostBytes || gain < (bytes > smallBytes ? 1 : 0.6)) return loops;
  const change = (instruction: Instruction): Instruction => padded.get(instruction) ?? instruction;
  return {
    outer,
    stages: stages.map((stage) => ({ ...stage, code: stage.code.map(change) })),
    padding: { prefix, copies },
  };
}

const isStep = (stride: number): boolean => stride !== 0;

/** The axes of a load's copy, one for each guard and for each loop without one, outermost first; if there are such axes. */
function axesOf(
  { access }: LoadInstruction,
  guards: readonly Guard[],
  sizes: readonly number[],
  prefix: number,
): Axis[] | undefined {
  const axes = guards.map(({ strides, offset, size }) => {
    const loop = strides.findIndex(isStep);
    const [low, high] = rangeOf({ strides, offset }, sizes);
    const start = Math.max(low, 0);
    const count = Math.min(high + 1, size) - start;
    const step = access.strides[loop] / strides[loop];
    return { strides, offset, step, low, length: high + 1 - low, start, count };
  });
  for (let loop = prefix; loop < sizes.length; loop++) {
    const step = access.strides[loop];
    const along = axes.filter(({ strides }) => strides[loop] !== 0);
    if (along.length > 1 || along.some((a) => a.step * a.strides[loop] !== step)) return undefined;
    if (along.length === 1 || step === 0) continue;
    const strides = sizes.map((_, i) => (i === loop ? 1 : 0));
    const [length, count] = [sizes[loop], sizes[loop]];
    axes.push({ strides, offset: 0, step, low: 0, length, start: 0, count });
  }
  axes.sort((a, b) => Math.abs(b.step) - Math.abs(a.step));
  const isNone = ({ step, count }: Axis): boolean => step === 0 || step % 1 !== 0 || count <= 0;
  return axes.some(isNone) ? undefined : axes;
}
