import { type Affine, elementCost, type Instruction } from "@gradloom/engine";
import type { Inductions } from "./inductions.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { affinesIn, argumentsOf, type WrittenStage } from "./loop-nest.ts";
import { longChains } from "./vector-math.ts";

/** Expressions are written by recursion: longer chains are cut into pieces. */
const maxInlinedDepth = 50;

/**
 * Where a stage's instructions are computed. Levels count loops from the outside: 0 is once a call, 1 once a
 * row; with lanes across rows, 2 is once a block of rows; then come the inner loops.
 */
export interface StageAnalysis {
  /** The level of a row, or of a block of rows; and that of a single point. */
  readonly rowLevel: number;
  readonly pointLevel: number;
  /** For each instruction: the level at which all that it depends on is known. */
  readonly levels: readonly number[];
  /** Whether it differs from lane to lane. */
  readonly varies: readonly boolean[];
  /** Whether it is computed where it is used, its only use, rather than kept in a local. */
  readonly inlined: readonly boolean[];
  /** Whether it becomes a long chain of dependent steps, during which a core could do other things as well. */
  readonly isLong: readonly boolean[];
  /** Of what is computed at each point, in simple instructions. */
  readonly cost: number;
}

/** Analyses a stage. */
export function analyseStage(
  frame: KernelFrame,
  stage: WrittenStage,
  inductions: Inductions,
): StageAnalysis {
  const { code, stores, results } = stage;
  const rowLevel = frame.lanesAcross ? 2 : 1;
  const pointLevel = rowLevel + stage.inner.length;
  const levels: number[] = [];
  const varies: boolean[] = [];
  // Stores, results and running sums are of each point, in each lane.
  const stageVaries = frame.lanesAcross || stage.inner.length > 0;
  for (const instruction of code) {
    const affines = affinesIn(instruction);
    const args = argumentsOf(instruction);
    const level = Math.max(
      levelWithout(instruction, frame, rowLevel, pointLevel),
      ...affines.map((affine) => levelOf(affine, frame, rowLevel)),
      ...args.map((argument) => levels[argument]),
    );
    levels.push(level);
    varies.push(
      affines.some((affine) => inductions.laneStride(affine) !== 0) ||
        args.some((argument) => varies[argument]) ||
        instruction.op === "product" ||
        (instruction.op === "result" && frame.lanesAcross) ||
        (instruction.op === "scan" && stageVaries),
    );
  }
  const uses = code.map(() => [] as number[]);
  for (const [i, instruction] of code.entries()) {
    for (const argument of argumentsOf(instruction)) uses[argument].push(i);
  }
  const terms = results.flatMap((result) => result.terms);
  for (const { value } of [...stores, ...terms]) uses[value].push(-1);
  const isLong = code.map(
    (instruction) =>
      "args" in instruction &&
      code[instruction.args[0]].dtype === "float32" &&
      longChains.has(instruction.op),
  );
  const inlined: boolean[] = [];
  const depths: number[] = [];
  for (const [i, instruction] of code.entries()) {
    const [user] = uses[i];
    const [level, userVaries] =
      user === -1 ? [pointLevel, stageVaries] : [levels[user], varies[user]];
    const args = "args" in instruction ? instruction.args : [];
    const isIndex = i === frame.sink?.index?.value || uses[i].some((j) => code[j]?.op === "load");
    const depth = 1 + Math.max(0, ...args.map((argument) => depths[argument]));
    inlined.push(
      args.length > 0 &&
        instruction.op !== "philox" &&
        !isLong[i] &&
        !isIndex &&
        uses[i].length === 1 &&
        level === levels[i] &&
        userVaries === varies[i] &&
        depth < maxInlinedDepth,
    );
    depths.push(inlined[i] ? depth : 0);
  }
  let cost = 0;
  for (const [i, instruction] of code.entries()) {
    if (!varies[i] || levels[i] < pointLevel) continue;
    if ("args" in instruction) cost += elementCost(instruction.op);
    else
      cost += instruction.op === "scan" || argumentsOf(instruction).some((j) => varies[j]) ? 8 : 1;
  }
  return {
    rowLevel,
    pointLevel,
    levels,
    varies,
    inlined,
    isLong,
    cost,
  };
}

/** The level that an instruction has apart from its arguments and affine expressions. */
function levelWithout(
  instruction: Instruction,
  frame: KernelFrame,
  rowLevel: number,
  pointLevel: number,
): number {
  if (instruction.op === "scan") return pointLevel;
  if (instruction.op === "result" || instruction.op === "product") return rowLevel;
  // What the kernel itself writes is another value in each row.
  return instruction.op === "load" && frame.written.has(instruction.access.buffer) ? rowLevel : 0;
}

/** The level of the innermost loop that an affine expression depends on. */
function levelOf(affine: Affine, { outer, lanesAcross }: KernelFrame, rowLevel: number): number {
  for (let loop = affine.strides.length - 1; loop >= 0; loop--) {
    if (affine.strides[loop] === 0) continue;
    if (loop >= outer.length) return rowLevel + 1 + loop - outer.length;
    return lanesAcross && loop === outer.length - 1 ? 2 : 1;
  }
  return 0;
}
