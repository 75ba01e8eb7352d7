import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import * as control from "./control-block.ts";
import * as i32 from "./opcodes/i32.ts";
import * as planWords from "./plan-words.ts";
import * as stepField from "./step-words.ts";

/** The functions that run parts of a plan. */
export interface DriverFunctions {
  /** `(step, chunk, thread)`: a chunk of the step, or of a step behind it. */
  readonly runChunk: FunctionWriter;
  /** `(group) -> the next group`: all chunks of a group, on the first thread. */
  readonly runGroup: FunctionWriter;
}

/** Writes the functions that run a plan on one thread; `alone(plan)` is exported. */
export function addDriver(module: ModuleWriter): DriverFunctions {
  const runChunk = addRunChunk(module);
  const runGroup = addRunGroup(module, runChunk);
  addAlone(module, runGroup);
  return { runChunk, runGroup };
}

function addRunChunk(module: ModuleWriter): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [step, chunk, thread] = [0, 1, 2];
  const [begin, end, units] = f.locals(3);
  const found = f.block();
  const next = f.loop();
  f.get(chunk).get(step).load(i32.load, stepField.chunks).op(i32.lt_u).brIf(found);
  f.get(chunk).get(step).load(i32.load, stepField.chunks).op(i32.sub).set(chunk);
  f.add(step, planWords.step * 4);
  f.br(next).end().end();
  f.get(chunk).get(step).load(i32.load, stepField.grain).op(i32.mul).tee(begin);
  f.get(step).load(i32.load, stepField.grain).op(i32.add).set(end);
  f.get(step).load(i32.load, stepField.units).set(units);
  f.get(step).load(i32.load, stepField.argumentBlock);
  f.get(step).load(i32.load, stepField.argumentStride).get(thread).op(i32.mul).op(i32.add);
  f.get(begin);
  f.smaller(end, units);
  f.get(step).load(i32.load, stepField.position);
  f.callIndirect(module.type(["i32", "i32", "i32"], []));
  return f;
}

function addRunGroup(module: ModuleWriter, runChunk: FunctionWriter): FunctionWriter {
  const f = module.function(["i32"], ["i32"]);
  const group = 0;
  const [step, steps, chunk] = f.locals(3);
  f.get(group).load(i32.load).set(steps);
  f.get(group)
    .i32(planWords.group * 4)
    .op(i32.add)
    .set(step);
  const nextStep = f.loop();
  f.i32(0).set(chunk);
  const nextChunk = f.loop();
  f.get(step).get(chunk).i32(0).call(runChunk.index);
  f.addAndGet(chunk, 1);
  f.get(step).load(i32.load, stepField.chunks).op(i32.lt_u).brIf(nextChunk).end();
  f.add(step, planWords.step * 4);
  f.countDown(steps, nextStep).end();
  return f.get(step);
}

function addAlone(module: ModuleWriter, runGroup: FunctionWriter): void {
  const f = module.function(["i32"], [], "alone");
  const group = 0;
  const groups = f.local();
  f.get(group).load(i32.load).set(groups);
  f.add(group, planWords.groups * 4);
  const next = f.loop();
  f.get(group).call(runGroup.index).set(group);
  pushGroupsLeft(f, groups).brIf(next).end();
}

/** Counts a group as done, and leaves on the stack how many there still are: none once an index was out of range. */
export function pushGroupsLeft(f: FunctionWriter, groups: number): FunctionWriter {
  f.i32(0).addAndGet(groups, -1);
  return f.i32(0).load(i32.load, control.fault).select();
}
