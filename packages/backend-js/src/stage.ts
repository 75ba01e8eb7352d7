import {
  type Access,
  BackendError,
  type Instruction,
  type Stage,
  type TypedArray,
} from "@gradloom/engine";
import { elementRule, fit } from "./element-rules.ts";
import { compileAffine, forEachPoint } from "./loops.ts";
import { createReducer } from "./reducers.ts";

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

/** Makes a stage into a function that runs it for the row that the frame's outer loops are at. */
export function compileStage(
  stage: Stage,
  number: number,
  outerCount: number,
): (frame: Frame) => void {
  const steps = stage.code.map((instruction) => compileInstruction(instruction, stage.code));
  const stores = stage.stores.map(({ value, access }) => ({
    value,
    buffer: access.buffer,
    locate: compileAccess(access),
  }));
  return (frame) => {
    const { loops, values } = frame;
    const reducers = stage.results.map(({ value, reduce }) =>
      reduce === undefined ? undefined : createReducer(reduce, stage.code[value].dtype),
    );
    forEachPoint(stage.inner, loops, outerCount, () => {
      for (let i = 0; i < steps.length; i++) values[i] = steps[i](frame);
      for (const { value, buffer, locate } of stores) {
        frame.arrays[buffer][locate(frame)] = values[value];
      }
      for (let i = 0; i < reducers.length; i++) reducers[i]?.add(values[stage.results[i].value]);
    });
    frame.results[number] = stage.results.map(
      ({ value }, i) => reducers[i]?.result() ?? values[value],
    );
  };
}

function compileInstruction(instruction: Instruction, code: readonly Instruction[]): Step {
  const toDType = fit[instruction.dtype];
  switch (instruction.op) {
    case "load": {
      const { buffer } = instruction.access;
      const locate = compileAccess(instruction.access);
      const guards = instruction.guards.map(({ size, ...affine }) => {
        const position = compileAffine(affine);
        return ({ loops }: Frame) => position(loops) >= 0 && position(loops) < size;
      });
      return (frame) => {
        for (const holds of guards) if (!holds(frame)) return 0;
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
    default: {
      const { op, args, dtype, word = 0 } = instruction;
      const operands = code[args[op === "where" ? 1 : 0]].dtype;
      const rule = elementRule(op, operands, dtype);
      if (rule === undefined) {
        throw new BackendError(`${op}: operands must have a dtype it is for, got ${operands}.`, {
          op,
        });
      }
      const [a, b = a, c = a, d = a] = args;
      return ({ values }) => rule(values[a], values[b], values[c], values[d], word);
    }
  }
}

/** Where in its array an access is; the description of the kernel is wrong if that is outside. */
function compileAccess(access: Access): Step {
  const { buffer } = access;
  const locate = compileAffine(access);
  return ({ arrays, loops }) => {
    const position = locate(loops);
    const { length } = arrays[buffer];
    if (position >= 0 && position < length) return position;
    throw new BackendError(
      `run: an access must stay inside its buffer, got element ${position} of ${length}.`,
      { op: "run" },
    );
  };
}
