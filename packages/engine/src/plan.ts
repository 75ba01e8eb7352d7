import type { Backend, BufferSpec, Executable, Program } from "./backend.ts";
import { byteSize } from "./dtype.ts";
import { StateError } from "./errors.ts";
import type { Kernel, Slot } from "./kernel.ts";
import { bufferOf, type LoweredKernel } from "./lower.ts";
import { findBarriers, layOut, type Temporary, type Touched, touched } from "./memory.ts";
import { narrow } from "./narrow.ts";
import { wholeOf } from "./operand.ts";
import { remember } from "./remember.ts";
import { bodyOf } from "./repeat.ts";
import { schedule } from "./schedule.ts";
import { Value, ValueGraph } from "./value.ts";
import { type Signature, Walk } from "./walk.ts";

/** What may be left out, to see that it changes no result. */
export interface PlanOptions {
  /** Fusing several operations into one kernel. Default: true. */
  readonly fusion?: boolean;
  /** Sharing memory between temporaries. Default: true. */
  readonly reuse?: boolean;
}

/** A compiled graph: runs for each graph of the same structure. */
export interface Plan {
  readonly signature: Signature;
  readonly program: Program;
  readonly executable: Executable;
  /** By slot of a box: its buffer in the program, or -1 if no kernel touches it. */
  readonly boxBuffers: readonly number[];
  /** By output: its buffer. -1 for one without elements. */
  readonly outputBuffers: readonly number[];
}

/** Plans a graph and compiles it. */
export function compilePlan(
  walk: Walk,
  backend: Backend,
  { fusion = true, reuse = true }: PlanOptions,
): Plan {
  // Before the body of a loop is walked: only one signature is there at a time.
  const signature = walk.signature();
  const { outputs, assigned, graph } = valuesOf(walk, fusion);
  const lowerLoop = (loop: Value) => lowerRepeat(loop, { fusion, reuse });
  const { kernels, states } = schedule(graph, assigned, fusion, lowerLoop);
  const slotOf = (home: Value) => (home.isLeaf ? home.slot : states.get(home));
  const { bySlot, outputBuffers, ...laid } = assemble(kernels, outputs, slotOf, reuse);
  const program: Program = { ...laid, scalars: walk.scalars.map(({ dtype }) => dtype) };
  return {
    signature,
    program,
    executable: backend.compile(program),
    boxBuffers: walk.boxes.map((_, slot) => bySlot.get(slot) ?? -1),
    outputBuffers,
  };
}

/** Kernels with numbered buffers, all of which have a place. */
export interface Assembly {
  readonly kernels: readonly Kernel[];
  readonly barriers: readonly boolean[];
  /** Those without a place in the arena are bound at each run. */
  readonly buffers: readonly BufferSpec[];
  readonly arenaBytes: number;
  /** By slot: its buffer, if a kernel touches it. */
  readonly bySlot: ReadonlyMap<number, number>;
  /** By output: its buffer. -1 for one without elements. */
  readonly outputBuffers: readonly number[];
}

/** Numbers the buffers of kernels, and gives temporaries their places. */
function assemble(
  lowered: readonly LoweredKernel[],
  outputs: readonly Value[],
  slotOf: (home: Value) => number | undefined,
  reuse: boolean,
): Assembly {
  const specs: BufferSpec[] = [];
  const bySlot = new Map<number, number>();
  const byValue = new Map<Value, number>();
  const numberOf = (value: Value) => {
    const home = bufferOf(value);
    const slot = slotOf(home);
    const make = () =>
      specs.push({ dtype: home.dtype, length: home.numel, arenaOffset: undefined }) - 1;
    return slot === undefined ? remember(byValue, home, make) : remember(bySlot, slot, make);
  };
  const numbered: Kernel[] = lowered.map(({ kernel, buffers: values }) => ({
    ...kernel,
    buffers: values.map(numberOf),
  }));
  const outputBuffers = outputs.map((value) => (value.numel === 0 ? -1 : numberOf(value)));
  const bound = new Set([...bySlot.values(), ...outputBuffers]);
  const touches = numbered.map(touched);
  const kernels = narrow(numbered, touches, bound, specs);
  const { offsets, arenaBytes } = layOut(kernels, findTemporaries(touches, specs, bound), reuse);
  const buffers = specs.map((spec, i) => ({ ...spec, arenaOffset: offsets.get(i) }));
  const barriers = findBarriers(touches, (buffer) => {
    const { arenaOffset, dtype, length } = buffers[buffer];
    // What is elsewhere overlaps with nothing: any place that is not in the arena will do.
    if (arenaOffset === undefined) return [-2 * buffer - 2, -2 * buffer - 1];
    return [arenaOffset, arenaOffset + length * byteSize[dtype]];
  });
  return { kernels, barriers, buffers, arenaBytes, bySlot, outputBuffers };
}

/**
 * The kernel of a loop: its body planned like any graph. Carried values have two places in turn, elements and outputs
 * advance with the repetitions, and temporaries are in a work space that all repetitions use.
 */
function lowerRepeat(loop: Value, { fusion, reuse }: Required<PlanOptions>): LoweredKernel {
  const [id, count, numCarries, numElements, reverse] = loop.attributes;
  const { results, assemblies } = bodyOf(id);
  const body = remember(assemblies, `${fusion} ${reuse}`, () => {
    const walk = new Walk({ outputs: results, states: [] }, 0);
    const { outputs, graph } = valuesOf(walk, fusion, true);
    const lowerLoop = (inner: Value) => lowerRepeat(inner, { fusion, reuse });
    const { kernels } = schedule(graph, new Map(), fusion, lowerLoop);
    const slotOf = (home: Value) => (home.isLeaf ? home.slot : undefined);
    return assemble(kernels, outputs, slotOf, reuse);
  });
  const parts = results.map(({ shape, dtype }, k) => {
    const known = loop.consumers.find(({ attributes }) => attributes[0] === k);
    const repetitions = k < numCarries ? 2 : count;
    return known ?? new Value(-1, "part", [], [k], [repetitions, ...shape], dtype);
  });
  const inputs = loop.inputs.map(wholeOf);
  const workspace = new Value(-1, "part", [], [], [body.arenaBytes], "uint8");
  const values = [...inputs, ...parts, workspace];
  const still = { offset: 0, step: 0, shift: 0, period: 1 };
  const advance = (length: number) =>
    reverse === 1
      ? { ...still, offset: (count - 1) * length, step: -length, period: count }
      : { ...still, step: length, period: count };
  const argumentOf = new Map([...body.bySlot].map(([slot, buffer]) => [buffer, slot]));
  const slots = body.buffers.map(({ dtype, length, arenaOffset }, buffer): Slot => {
    if (arenaOffset !== undefined) {
      const offset = arenaOffset / byteSize[dtype];
      return { dtype, length, ...still, buffer: values.length - 1, offset };
    }
    const argument = argumentOf.get(buffer);
    if (argument === undefined) {
      const k = body.outputBuffers.indexOf(buffer);
      const place = k < numCarries ? { ...still, step: length, period: 2 } : advance(length);
      return { dtype, length, ...place, buffer: inputs.length + k };
    }
    if (argument < numCarries) {
      // What the repetition before has written.
      const before = { ...still, step: length, shift: 1, period: 2, initial: argument };
      return { dtype, length, ...before, buffer: inputs.length + argument };
    }
    const place = argument < numCarries + numElements ? advance(length) : still;
    return { dtype, length, ...place, buffer: argument };
  });
  const writes = [...parts, workspace].map((_, i) => inputs.length + i);
  const label = ["repeat", ...new Set(body.kernels.flatMap((kernel) => kernel.label))];
  const barriers = body.barriers.map((barrier, i) => barrier || i === 0);
  const buffers = values.map((_, i) => i);
  const parsed = { count, kernels: body.kernels, barriers, slots, writes, buffers };
  return { kernel: { kind: "repeat", ...parsed, scalars: [], label }, buffers: values };
}

/** The graph to plan, the values that are wanted, and the anchors that states take. */
function valuesOf(walk: Walk, split: boolean, isBody = false) {
  const graph = new ValueGraph(split);
  const { order, goal } = walk;
  const byNode = new Array<Value>(order.length);
  const scalarSlots = new Map(walk.scalars.map((node, slot) => [node, slot]));
  const boxes = new Map<number, Value>();
  const uses = new Uint32Array(order.length);
  for (const { box, inputs } of order) {
    if (!box) for (const input of inputs) uses[input.index] += 1;
  }
  for (const node of goal.outputs) uses[node.index] += 1;
  for (const { value } of goal.states) uses[value.index] += 1;
  // Values are numbered in the order in which nodes were recorded, which is the order of execution.
  const recorded = [...order].sort((a, b) => a.id - b.id);
  for (const node of recorded) {
    const { box, shape, dtype, index } = node;
    if (box) {
      const leaf = remember(boxes, box.slot, () => graph.leaf("box", box.slot, shape, dtype));
      byNode[index] = graph.as(leaf, shape);
    } else if (node.op === "argument") {
      if (!isBody) {
        throw new StateError(
          "read: values must not be read inside of scan(). Return the tensor, and read it outside.",
        );
      }
      byNode[index] = graph.leaf("box", node.attributes[0], shape, dtype);
    } else if (node.op === "scalar") {
      byNode[index] = graph.leaf("scalar", scalarSlots.get(node)!, shape, dtype);
    } else {
      byNode[index] = graph.add(
        node,
        node.inputs.map((input) => byNode[input.index]),
        node.inputs.length > 0 && uses[node.inputs[0].index] === 1,
      );
    }
  }
  const own = (value: Value, isTaken: boolean) => {
    const anchor = value.isLeaf || isTaken ? graph.copy(value) : value;
    anchor.isRoot = true;
    return anchor;
  };
  const assigned = new Map<Value, number>();
  for (const { box, value } of goal.states) {
    const source = byNode[value.index];
    assigned.set(own(source, assigned.has(source)), box.slot);
  }
  const outputs: Value[] = [];
  for (const node of goal.outputs) {
    const source = byNode[node.index];
    outputs.push(own(source, assigned.has(source) || (isBody && outputs.includes(source))));
  }
  return { graph, outputs, assigned };
}

function findTemporaries(
  touches: readonly Touched[],
  buffers: readonly BufferSpec[],
  bound: ReadonlySet<number>,
): Map<number, Temporary> {
  const temporaries = new Map<number, Temporary>();
  touches.forEach(({ reads, writes }, position) => {
    for (const buffer of [...writes, ...reads]) {
      if (bound.has(buffer)) continue;
      const { dtype, length } = buffers[buffer];
      const first = temporaries.get(buffer)?.first ?? position;
      temporaries.set(buffer, { byteLength: length * byteSize[dtype], first, last: position });
    }
  });
  return temporaries;
}
