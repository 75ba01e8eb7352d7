import {
  type Access,
  BackendError,
  type Guard,
  IndexError,
  type Instruction,
  type LoadInstruction,
  operationName,
  type Stage,
  type TypedArray,
} from "@gradloom/engine";
import { elementRule, fit } from "./element-rules.ts";
import { compileAffine, forEachPoint } from "./loops.ts";
import { createReducer, type Reducer } from "./reducers.ts";

/** What the code of a kernel sees while it runs. */
export interface Frame {
  /** The kernel's buffers, then its scratch rows. */
  readonly arrays: readonly TypedArray[];
  readonly scalars: readonly number[];
  /** Where the loops are: the kernel's outer ones, then the stage's inner ones. */
  readonly loops: number[];
  /** The values of the stage's instructions at this point, as far as they have run. */
  readonly values: number[];
  /** By stage: the results of the stages of this row that have run. */
  readonly results: number[][];
  /** In the epilogue of a contraction: what was computed for this point. */
  product: number;
}

type Step = (frame: Frame) => number;

/**
 * Makes a stage into a function that runs it for the row that the frame's outer loops are at; what it is given besides
 * is called at each point, after the code.
 */
export function compileStage(
  stage: Stage,
  number: number,
  outerCount: number,
): (frame: Frame, atPoint?: (frame: Frame) => void) => void {
  const scans = stage.code.map((): Reducer | undefined => undefined);
  const steps = stage.code.map((instruction) => compileInstruction(instruction, stage.code, scans));
  const stores = stage.stores.map(({ value, access }) => ({
    value,
    buffer: access.buffer,
    locate: compileAccess(access),
  }));
  return (frame, atPoint) => {
    const { loops, values } = frame;
    stage.code.forEach((instruction, i) => {
      if (instruction.op !== "scan") return;
      scans[i] = createReducer(instruction.reduce, instruction.dtype);
    });
    const reducers = stage.results.map(({ value, reduce }) =>
      reduce === undefined ? undefined : createReducer(reduce, stage.code[value].dtype),
    );
    forEachPoint(stage.inner, loops, outerCount, () => {
      for (let i = 0; i < steps.length; i++) values[i] = steps[i](frame);
      for (const { value, buffer, locate } of stores) {
        frame.arrays[buffer][locate(frame)] = values[value];
      }
      atPoint?.(frame);
      for (let i = 0; i < reducers.length; i++) reducers[i]?.add(values[stage.results[i].value]);
    });
    frame.results[number] = stage.results.map(
      ({ value }, i) => reducers[i]?.result() ?? values[value],
    );
  };
}

function compileInstruction(
  instruction: Instruction,
  code: readonly Instruction[],
  scans: readonly (Reducer | undefined)[],
): Step {
  const toDType = fit[instruction.dtype];
  switch (instruction.op) {
    case "load": {
      const { access, index, outside = 0 } = instruction;
      const { buffer } = access;
      const locate = compileAccess(access, index);
      const guards = instruction.guards.map(compileGuard);
      return (frame) => {
        for (const holds of guards) if (!holds(frame.loops)) return outside;
        return frame.arrays[buffer][locate(frame)];
      };
    }
    case "index": {
      const index = compileAffine(instruction);
      return ({ loops }) => toDType(index(loops));
    }
    case "constant": {
      const value = toDType(instruction.value);
      return () => value;
    }
    case "scalar":
      return (frame) => toDType(frame.scalars[instruction.scalar]);
    case "result":
      return (frame) => frame.results[instruction.stage][instruction.result];
    case "product":
      return (frame) => frame.product;
    case "check": {
      const { arg, size, name } = instruction;
      return ({ values }) => {
        const index = values[arg];
        if (index >= 0 && index < size) return index;
        throw new IndexError(operationName(name), index, size);
      };
    }
    case "scan": {
      const { arg } = instruction;
      const position = code.indexOf(instruction);
      return ({ values }) => {
        const reducer = scans[position] as Reducer;
        reducer.add(values[arg]);
        return reducer.result();
      };
    }
    default: {
      const { op, args, dtype, word = 0 } = instruction;
      const operands = code[args[op === "where" ? 1 : 0]].dtype;
      const rule = elementRule(op, operands, dtype);
      if (!rule) {
        throw new BackendError(`${op}: operands must have a dtype it is for, got ${operands}.`);
      }
      const [a, b = a, c = a, d = a] = args;
      return ({ values }) => rule(values[a], values[b], values[c], values[d], word);
    }
  }
}

/** Whether a guard holds where the loops are. */
export function compileGuard({ size, ...affine }: Guard): (loops: readonly number[]) => boolean {
  const position = compileAffine(affine);
  return (loops) => position(loops) >= 0 && position(loops) < size;
}

/** Where in its array an access is; the description of the kernel is wrong if that is outside. */
export function compileAccess(access: Access, index?: LoadInstruction["index"]): Step {
  const { buffer } = access;
  const locate = compileAffine(access);
  return ({ arrays, loops, values }) => {
    let position = locate(loops);
    if (index) position += index.stride * values[index.value];
    const { length } = arrays[buffer];
    if (position >= 0 && position < length) return position;
    throw new BackendError(
      `run: an access must stay inside its buffer, got element ${position} of ${length}.`,
    );
  };
}
