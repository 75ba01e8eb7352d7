import {
  type Affine,
  type Guard,
  type Instruction,
  isFloat,
  type LoopKernel,
  positionIn,
  resized,
  type Store,
  spliced,
} from "@gradloom/engine";
import {
  affinesOf,
  argumentsOf,
  countIterations,
  type Term,
  type WrittenStage,
  withArguments,
  withStrides,
} from "./loop-nest.ts";

/** A loop of more iterations than this, and loops of more together, are not written out. */
const shortLoop = 8;
const shortLoops = 64;
/** Fewer than this do not fill the lanes of a vector. */
const lanes = 4;
/** As many instructions stay in a core's caches, and as many results in its registers. */
const mostInstructions = 512;
const mostResults = 16;
/** A window of no more taps has all its weights in registers; of a larger one, so many sums are. */
const fewTaps = 9;
const mostSums = 7;
/** In rows no longer than this, many at once pay off with few taps already. */
const shortRow = 16;
/** Of a window of few taps, so many rows at most are summed up at once, and only if they lie this near to each other together. */
const mostRows = 4;
const nearRows = 256;
/** From so many rows on, sums are of partial sums of so many terms: a core has more to go on with than a chain for each row. */
const manyRows = 3;
const partialTerms = 3;
/** Fewer sums along rows share too little of what two rows read. */
const leastSums = 4;
/** Outer loops that are written out leave so many rows to threads. */
const leastRows = 16;

type Loops = Pick<LoopKernel, "outer"> & { readonly stages: readonly WrittenStage[] };

/**
 * Loops of which each iteration is code of its own: the last outer ones if lanes cannot lie along them, as the phases of a
 * stride and the taps of a weight's gradient, and others that are short and decide whether a tap is there at all. What
 * iterations have in common is done once.
 */
export function writeOutRows(
  loops: Loops,
  first: number,
  lanesAcross: (loops: Loops) => boolean,
): Loops {
  let { outer, stages } = loops;
  let copies = 1;
  for (let loop = outer.length - 1; loop >= first; loop--) {
    const size = outer[loop];
    const isLast = loop > 0 && loop === outer.length - 1;
    const isSum = stages.some(({ inner }) => countIterations(inner) > shortLoops);
    const mayLast =
      size < lanes || (size <= shortLoop && (isSum || !lanesAcross({ outer, stages })));
    const wanted =
      (isLast && mayLast) || (size <= lanes && stages.some((s) => decides(s, outer, loop)));
    const rows = countIterations(outer) / size;
    const cost = stages.reduce((sum, stage) => sum + size * costOf(stage), 0);
    const fits = size * copies <= mostResults && cost <= mostInstructions && rows >= leastRows;
    if (!wanted || !fits) continue;
    copies *= size;
    stages = stages.map((stage) => writeOut(stage, loop, size, true));
    outer = spliced(outer, loop, 1);
  }
  return { outer, stages };
}

/**
 * Of stages with lanes across rows: inner loops that are short, as those over the taps of a window. Of many taps the last loop
 * stays, unless some are missing at some points: written out, their weights would not stay in registers. Of a long row by itself
 * all loops stay: several vectors of it are summed up at once.
 */
export function writeOutPoints(loops: Loops, first: number): Loops {
  const isGuarded = loops.stages.some(({ code }) =>
    code.some((i) => i.op === "load" && i.guards.length > 0),
  );
  const isShortRow = (loops.outer.at(-1) as number) <= shortRow;
  const isFew = ({ inner }: WrittenStage): boolean =>
    countIterations(inner) <= (isShortRow ? 1 : fewTaps);
  const areFew = loops.stages.every(isFew);
  const loop = loops.outer.length - 2;
  const pitch = Math.max(
    ...loops.stages.flatMap((stage) => affinesOf(stage).map(({ strides }) => strides[loop])),
  );
  const few = Math.min(Math.floor(nearRows / pitch), mostRows);
  const { outer, stages } = blockRows(loops, first, areFew ? few : isGuarded ? 1 : mostSums);
  const areMany = loops.outer[loop] >= manyRows * outer[loop];
  return {
    outer,
    stages: stages.map((stage) => {
      const { inner } = stage;
      const isAll = isGuarded || isFew(stage);
      const depth = isAll ? inner.length : inner.length - 1;
      const written = inner.slice(0, depth);
      const fits = isShort(stage) && costOf({ ...stage, inner: written }) <= mostInstructions;
      // A position is that of the first of equals: values come in the order of loops.
      const mayKeepOne = (isShortRow || outer !== loops.outer) && !isPositional(stage);
      if (!fits || !(isAll || mayKeepOne)) return stage;
      let taps = stage;
      for (const loop of [...written.keys()].reverse()) {
        taps = writeOut(taps, outer.length + loop, inner[loop], false);
      }
      taps = { ...taps, inner: inner.slice(depth) };
      if (!isAll) return inOrderOfLoads(taps);
      return areMany && !isPositional(stage) ? inOrderOfLoads(withPartialSums(taps)) : taps;
    }),
  };
}

/**
 * Several rows at once, of the loop before that of the lanes, if they share something, as the weights of a window: it is read
 * once for all of them, and a core has as many sums to go on with. That loop is not one of the first ones.
 */
function blockRows({ outer, stages }: Loops, first: number, most: number): Loops {
  const loop = outer.length - 2;
  const isWindow = stages.some(({ inner }) => inner.length > 0);
  let rows = 1;
  for (let i = 2; i <= most; i++) if (outer[loop] % i === 0) rows = i;
  const fits =
    countIterations(outer) / rows >= leastRows &&
    stages.every((stage) => isShort(stage) && stage.results.length < 2);
  if (loop < first || rows === 1 || !isWindow || !fits) return { outer, stages };
  return {
    outer: resized(outer, loop, outer[loop] / rows),
    stages: stages.map((stage) => writeOut(cutLoop(stage, loop, rows), loop + 1, rows, true)),
  };
}

/** The same stage with sums of partial sums, of neighbours. */
function withPartialSums(stage: WrittenStage): WrittenStage {
  const code = [...stage.code];
  const results = stage.results.map((result) => {
    const { reduce, dtype } = result;
    if (reduce !== "sum" || !isFloat(dtype)) return result;
    const values = result.terms.map(({ value }) => value);
    const terms: Term[] = [];
    while (values.length > 0) {
      const value = values
        .splice(0, partialTerms)
        .reduce((a, b) => code.push({ op: "add", dtype, args: [a, b] }) - 1);
      terms.push({ value });
    }
    return { ...result, terms };
  });
  return { ...stage, code, results };
}

/**
 * The same stage with what is read later in memory behind all that does not need it: rows of a picture that several sums share
 * are in registers once, and few of them at the same time.
 */
function inOrderOfLoads(stage: WrittenStage): WrittenStage {
  const { code, stores, results } = stage;
  const places: number[] = [];
  for (const instruction of code) {
    const own = instruction.op === "load" ? instruction.access.offset : 0;
    places.push(Math.max(own, ...argumentsOf(instruction).map((i) => places[i])));
  }
  const order = [...code.keys()].sort((a, b) => places[a] - places[b] || a - b);
  const moved = (i: number): number => order.indexOf(i);
  return {
    ...stage,
    code: order.map((i) => withArguments(code[i], moved)),
    stores: stores.map((store) => ({ ...store, value: moved(store.value) })),
    results: results.map((result) => ({
      ...result,
      terms: result.terms.map(({ value }) => ({ value: moved(value) })),
    })),
  };
}

/** Of several sums along rows, as the taps of a weight's gradient, two rows at once if they share what they read. */
export function writeOutPairs(stage: WrittenStage, numOuter: number): WrittenStage {
  const { inner, results, code } = stage;
  const row = inner.length - 2;
  const loop = numOuter + row;
  if (inner[row] % 2 !== 0 || results.length < leastSums || isPositional(stage)) return stage;
  const pairs = writeOut(cutLoop(stage, loop, 2), loop + 1, 2, false);
  if (pairs.code.length === 2 * code.length) return stage;
  return inOrderOfLoads({ ...pairs, inner: resized(inner, row, inner[row] / 2) });
}

/** The same stage with a loop behind another that takes so many of its iterations. */
function cutLoop(stage: WrittenStage, loop: number, count: number): WrittenStage {
  return withStrides(stage, (strides) => spliced(strides, loop, 0, strides[loop] * count));
}

const isPositional = ({ results }: WrittenStage): boolean =>
  results.some(({ terms }) => terms.some(({ position }) => position !== undefined));

const isShort = ({ inner }: WrittenStage): boolean =>
  inner.every((size) => size <= shortLoop) && countIterations(inner) <= shortLoops;

/** How many instructions a stage becomes once its short inner loops are written out. */
function costOf({ inner, code }: WrittenStage): number {
  const points = countIterations(inner);
  return code.length * (points <= shortLoops ? points : 1);
}

/** Whether a guard depends on a loop, and else on short loops alone. */
function decides({ inner, code }: WrittenStage, outer: readonly number[], loop: number): boolean {
  const sizes = [...outer, ...inner];
  return code.some(
    (instruction) =>
      instruction.op === "load" &&
      instruction.guards.some(
        ({ strides }) =>
          strides[loop] !== 0 && sizes.every((size, i) => strides[i] === 0 || size <= shortLoop),
      ),
  );
}

/** A stage with a piece of code for each iteration of a loop: an outer one has results for each. */
function writeOut(stage: WrittenStage, loop: number, size: number, isOuter: boolean): WrittenStage {
  const code: Instruction[] = [];
  const stores: Store[] = [];
  const terms = stage.results.map((): Term[][] => (isOuter ? [] : [[]]));
  for (let at = 0; at < size; at++) {
    const place = <T extends Affine>(affine: T): T => ({
      ...affine,
      offset: affine.offset + at * affine.strides[loop],
      strides: spliced(affine.strides, loop, 1),
    });
    /** Where nothing is read, and where nothing is added. */
    const [outsides, absent] = [[] as boolean[], [] as boolean[]];
    const copied: number[] = [];
    const copy = (i: number): number => {
      if (copied[i] !== undefined) return copied[i];
      const instruction = copyOf(stage.code[i], i);
      copied[i] = positionIn(code, instruction);
      return copied[i];
    };
    const copyOf = (instruction: Instruction, i: number): Instruction => {
      if (instruction.op === "index") return place(instruction);
      if (instruction.op === "result" && isOuter) {
        return { ...instruction, result: instruction.result * size + at };
      }
      if (instruction.op !== "load") return withArguments(instruction, copy);
      const { access, dtype, outside = 0 } = instruction;
      if (outsides[i]) return { op: "constant", dtype, value: outside };
      const guards = instruction.guards.map(place).filter(({ strides }) => !isFixed(strides));
      return withArguments({ ...instruction, access: place(access), guards }, copy);
    };
    stage.code.forEach((instruction, i) => {
      if (instruction.op === "load") {
        outsides[i] = instruction.guards.map(place).some(fails);
        absent[i] = outsides[i] && !instruction.outside;
      } else if (instruction.op === "mul") {
        // Not if one of them is there: 0 · ∞ is NaN.
        absent[i] = instruction.args.every((arg) => absent[arg]);
      } else if (instruction.op === "where") {
        absent[i] = instruction.args
          .slice(1)
          .every((arg) => absent[arg] || isZero(stage.code[arg]));
      }
      // An index is checked whether or not anything is read with it.
      if (instruction.op === "check") copy(i);
    });
    for (const { value, access } of stage.stores) {
      stores.push({ value: copy(value), access: place(access) });
    }
    stage.results.forEach((result, i) => {
      const copies = result.terms
        .filter(({ value }) => !(absent[value] && result.reduce === "sum"))
        .map(({ value, position }) => ({
          value: copy(value),
          ...(position !== undefined && { position: copy(position) }),
        }));
      if (isOuter) terms[i].push(copies);
      else terms[i][0].push(...copies);
    });
  }
  const results = stage.results.flatMap((result, i) =>
    terms[i].map((list) => ({ ...result, terms: list })),
  );
  return { ...stage, code, stores, results };
}

const isFixed = (strides: readonly number[]): boolean => strides.every((stride) => stride === 0);

/** Whether a guard holds nowhere, which can be said if it depends on no loop. */
function fails({ offset, strides, size }: Guard): boolean {
  return isFixed(strides) && (offset < 0 || offset >= size);
}

function isZero(instruction: Instruction): boolean {
  return instruction.op === "constant" && instruction.value === 0;
}
