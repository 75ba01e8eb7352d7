import type { Backend, BufferSpec, Executable, Program } from "./backend.ts";
import { byteSize } from "./dtype.ts";
import type { Kernel } from "./kernel.ts";
import { bufferOf } from "./lower.ts";
import { findBarriers, layOut, type Temporary, touched } from "./memory.ts";
import { schedule } from "./schedule.ts";
import { type Value, ValueGraph } from "./value.ts";
import type { Goal, Signature, Walk } from "./walk.ts";

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
  goal: Goal,
  backend: Backend,
  { fusion = true, reuse = true }: PlanOptions,
): Plan {
  const { outputs, assigned, graph } = valuesOf(walk, goal, fusion);
  const { kernels, states } = schedule(graph, assigned, fusion);
  const buffers: BufferSpec[] = [];
  const bySlot = walk.boxes.map(() => -1);
  const byValue = new Map<Value, number>();
  const newBuffer = ({ dtype, numel }: { dtype: BufferSpec["dtype"]; numel: number }) =>
    buffers.push({ dtype, length: numel, arenaOffset: undefined }) - 1;
  const numberOf = (value: Value) => {
    const home = bufferOf(value);
    const slot = home.isLeaf ? home.slot : states.get(home);
    let number = slot === undefined ? byValue.get(home) : bySlot[slot];
    if (number === undefined || number < 0) {
      number = newBuffer(home);
      if (slot === undefined) byValue.set(home, number);
      else bySlot[slot] = number;
    }
    return number;
  };
  const numbered: Kernel[] = kernels.map(({ kernel, buffers: values }) => ({
    ...kernel,
    buffers: values.map(numberOf),
  }));
  const outputBuffers = outputs.map((value) => (value.numel === 0 ? -1 : numberOf(value)));
  const bound = new Set([...bySlot, ...outputBuffers]);
  const temporaries = findTemporaries(numbered, buffers, bound);
  const { offsets, arenaBytes } = layOut(numbered, temporaries, reuse);
  const placed = buffers.map((spec, i) => ({ ...spec, arenaOffset: offsets.get(i) }));
  const barriers = findBarriers(numbered, (buffer) => {
    const { arenaOffset, dtype, length } = placed[buffer];
    if (arenaOffset === undefined) return { space: buffer, start: 0, end: 1 };
    return { space: -1, start: arenaOffset, end: arenaOffset + length * byteSize[dtype] };
  });
  const scalars = walk.scalars.map(({ dtype }) => dtype);
  const program: Program = { kernels: numbered, barriers, buffers: placed, scalars, arenaBytes };
  return {
    signature: walk.signature(),
    program,
    executable: backend.compile(program),
    boxBuffers: bySlot,
    outputBuffers,
  };
}

/** The graph to plan, the values that are wanted, and the anchors that states take. */
function valuesOf(walk: Walk, goal: Goal, split: boolean) {
  const graph = new ValueGraph(split);
  const { order } = walk;
  const byNode = new Array<Value>(order.length);
  const scalarSlots = new Map(walk.scalars.map((node, slot) => [node, slot]));
  const boxes = new Map<number, Value>();
  const uses = new Uint32Array(order.length);
  for (const { box, inputs } of order) {
    if (box === undefined) for (const input of inputs) uses[input.index] += 1;
  }
  for (const node of goal.outputs) uses[node.index] += 1;
  for (const { value } of goal.states) uses[value.index] += 1;
  // Values are numbered in the order in which nodes were recorded, which is the order of execution.
  const recorded = [...order].sort((a, b) => a.id - b.id);
  for (const node of recorded) {
    const { box, shape, dtype, index } = node;
    if (box !== undefined) {
      let leaf = boxes.get(box.slot);
      if (leaf === undefined) {
        leaf = graph.leaf("box", box.slot, shape, dtype);
        boxes.set(box.slot, leaf);
      }
      byNode[index] = graph.as(leaf, shape);
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
  const outputs = goal.outputs.map((node) => {
    const source = byNode[node.index];
    return own(source, assigned.has(source));
  });
  return { graph, outputs, assigned };
}

function findTemporaries(
  kernels: readonly Kernel[],
  buffers: readonly BufferSpec[],
  bound: ReadonlySet<number>,
): Map<number, Temporary> {
  const temporaries = new Map<number, Temporary>();
  kernels.forEach((kernel, position) => {
    const { reads, writes } = touched(kernel);
    for (const buffer of [...writes, ...reads]) {
      if (bound.has(buffer)) continue;
      const { dtype, length } = buffers[buffer];
      const first = temporaries.get(buffer)?.first ?? position;
      temporaries.set(buffer, { byteLength: length * byteSize[dtype], first, last: position });
    }
  });
  return temporaries;
}
