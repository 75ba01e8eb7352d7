import { chooseAnchors } from "./anchors.ts";
import { Group } from "./group.ts";
import { type Kernel, stagesOf } from "./kernel.ts";
import { bufferOf, type LoweredKernel, lower } from "./lower.ts";
import { sameAccess } from "./memory.ts";
import type { Value, ValueGraph } from "./value.ts";

/** Kernels in order, and which anchors are written straight into the memory of a state. */
export interface Schedule {
  readonly kernels: readonly LoweredKernel[];
  /** By anchor: the slot of the state's box that is its memory. */
  readonly states: ReadonlyMap<Value, number>;
}

/**
 * Turns a graph into kernels: chooses anchors, groups them, orders the groups by creation.
 *
 * @param assigned - By anchor: the slot of the state that takes its value.
 * @param lowerLoop - Makes the kernel of a loop.
 */
export function schedule(
  graph: ValueGraph,
  assigned: ReadonlyMap<Value, number>,
  fusion: boolean,
  lowerLoop: (loop: Value) => LoweredKernel,
): Schedule {
  chooseAnchors(graph.values, fusion);
  const groups = new Grouping(graph.values, fusion);
  return new Ordering(graph, groups, assigned, fusion, lowerLoop).run();
}

/** Puts each anchor into a group of its own or into one that computes what it reads. */
class Grouping {
  readonly groups = new Set<Group>();
  readonly #byAnchor = new Map<Value, Group>();

  constructor(values: readonly Value[], fusion: boolean) {
    for (const value of values) {
      if (!value.isAnchor || value.op === "cat" || value.numel === 0) continue;
      if (this.#byAnchor.has(value)) continue;
      this.#include(value, fusion);
    }
  }

  #include(value: Value, fusion: boolean): void {
    const alone = new Group(value.number, value, fusion);
    const producers = this.producers(alone).sort((a, b) => b.number - a.number);
    for (const group of producers) {
      const isFree = producers.every((other) => other === group || !this.#dependsOn(other, group));
      if (!isFree || !group.join(value, producers)) continue;
      this.#byAnchor.set(value, group);
      for (const other of producers) {
        if (other !== group && this.#canMerge(group, other) && group.absorb(other, value)) {
          for (const member of other.members) this.#byAnchor.set(member.value, group);
          this.groups.delete(other);
        }
      }
      return;
    }
    this.groups.add(alone);
    for (const member of alone.members) this.#byAnchor.set(member.value, alone);
  }

  /** The groups that compute what a group reads. */
  producers(group: Group): Group[] {
    const producers = new Set<Group>();
    for (const value of group.reads()) {
      for (const anchor of value.op === "cat" ? value.inputs : [value]) {
        const producer = this.#byAnchor.get(anchor);
        if (producer !== undefined && producer !== group) producers.add(producer);
      }
    }
    return [...producers];
  }

  #canMerge(a: Group, b: Group): boolean {
    const between = (from: Group, to: Group) =>
      this.producers(from).some((group) => group !== to && this.#dependsOn(group, to));
    return !between(a, b) && !between(b, a);
  }

  /** Whether a group needs, directly or not, what another computes. */
  #dependsOn(group: Group, target: Group): boolean {
    const seen = new Set<Group>([group]);
    for (const next of seen) {
      if (next === target) return true;
      for (const producer of this.producers(next)) seen.add(producer);
    }
    return false;
  }
}

/** A group that must come before another, because of the state in this slot or because of data. */
interface Wait {
  readonly group: Group;
  readonly slot: number | undefined;
}

/** Orders groups so that values exist before they are read and states are read before they change. */
class Ordering {
  readonly #graph: ValueGraph;
  readonly #grouping: Grouping;
  readonly #fusion: boolean;
  readonly #lowerLoop: (loop: Value) => LoweredKernel;
  readonly #states: Map<Value, number>;
  /** States that cannot be written where they are: their new values are copied over at the end. */
  readonly #late: { value: Value; slot: number }[] = [];

  constructor(
    graph: ValueGraph,
    grouping: Grouping,
    assigned: ReadonlyMap<Value, number>,
    fusion: boolean,
    lowerLoop: (loop: Value) => LoweredKernel,
  ) {
    this.#lowerLoop = lowerLoop;
    this.#graph = graph;
    this.#grouping = grouping;
    this.#fusion = fusion;
    this.#states = new Map(assigned);
  }

  run(): Schedule {
    const ordered = this.#order();
    const stored = this.#stored(ordered);
    const kernels = ordered.map((group) => {
      const [{ value }] = group.members;
      if (value.op === "part") return this.#lowerLoop(value.inputs[0]);
      return lower(group, (member) => stored.has(member));
    });
    for (const { kernel, buffers } of kernels) this.#checkStates(kernel, buffers);
    for (const { value, slot } of this.#late) {
      const copy = this.#graph.copy(value);
      copy.isAnchor = true;
      this.#states.set(copy, slot);
      kernels.push(lower(new Group(copy.number, copy, this.#fusion), () => true));
    }
    return { kernels, states: this.#states };
  }

  /** A topological order that keeps to the order of creation where it can. */
  #order(): Group[] {
    const groups = [...this.#grouping.groups].sort((a, b) => a.first - b.first);
    const waits = this.#waits(groups);
    const done = new Set<Group>();
    const ordered: Group[] = [];
    let waiting = groups;
    while (waiting.length > 0) {
      const next = waiting.find((group) => waits.get(group)!.every((w) => this.#isOver(w, done)));
      if (next === undefined) {
        this.#postpone(waiting, waits, done);
        continue;
      }
      done.add(next);
      ordered.push(next);
      waiting = waiting.filter((group) => group !== next);
    }
    return ordered;
  }

  /** What each group waits for: groups that compute what it reads, and that read what it changes. */
  #waits(groups: readonly Group[]): Map<Group, Wait[]> {
    const writers = new Map<number, Group>();
    for (const [anchor, slot] of this.#states) {
      const writer = groups.find((group) => group.has(anchor));
      if (writer !== undefined) writers.set(slot, writer);
    }
    const waits = new Map<Group, Wait[]>();
    for (const group of groups) {
      waits.set(
        group,
        this.#grouping.producers(group).map((other) => ({ group: other, slot: undefined })),
      );
    }
    for (const group of groups) {
      for (const { isLeaf, slot } of group.reads()) {
        const writer = isLeaf ? writers.get(slot) : undefined;
        if (writer !== undefined && writer !== group) waits.get(writer)!.push({ group, slot });
      }
    }
    return waits;
  }

  #isOver({ group, slot }: Wait, done: ReadonlySet<Group>): boolean {
    return done.has(group) || (slot !== undefined && this.#isLate(slot));
  }

  #isLate(slot: number): boolean {
    return this.#late.some((entry) => entry.slot === slot);
  }

  /** Readers and writers of states wait for each other: lets one state keep its old value for longer. */
  #postpone(
    waiting: readonly Group[],
    waits: ReadonlyMap<Group, readonly Wait[]>,
    done: ReadonlySet<Group>,
  ): void {
    for (const group of waiting) {
      for (const wait of waits.get(group)!) {
        if (wait.slot === undefined || this.#isOver(wait, done)) continue;
        for (const [value, slot] of this.#states) {
          if (slot === wait.slot) this.#moveToEnd(value, slot);
        }
        return;
      }
    }
    throw new Error("schedule: groups depend on each other in a circle");
  }

  #moveToEnd(value: Value, slot: number): void {
    this.#states.delete(value);
    this.#late.push({ value, slot });
  }

  /** Anchors whose values are needed outside of the kernel that computes them. */
  #stored(groups: readonly Group[]): Set<Value> {
    const stored = new Set<Value>();
    for (const group of groups) {
      for (const value of group.reads()) stored.add(value);
      for (const { value } of group.members) {
        if (value.isRoot || value.placement !== undefined) stored.add(value);
      }
    }
    return stored;
  }

  /** A kernel may write a state that it reads only if it reads each element just before it writes it. */
  #checkStates(kernel: Kernel, buffers: readonly Value[]): void {
    const stages = stagesOf(kernel);
    if (kernel.kind === "repeat") {
      for (const position of kernel.writes) {
        const slot = this.#states.get(buffers[position]);
        if (slot !== undefined) this.#moveToEnd(buffers[position], slot);
      }
      return;
    }
    if (kernel.kind === "scatter" || kernel.kind === "sort") {
      const value = buffers[kernel.target.buffer];
      const slot = this.#states.get(value);
      if (slot === undefined) return;
      if (buffers.some((other) => other.isLeaf && other.slot === slot))
        this.#moveToEnd(value, slot);
      return;
    }
    stages.forEach((stage, position) => {
      for (const { access } of stage.stores) {
        const value = buffers[access.buffer];
        const slot = value === undefined ? undefined : this.#states.get(bufferOf(value));
        if (value === undefined || slot === undefined) continue;
        const isOld = (buffer: number) =>
          buffers[buffer]?.isLeaf === true && buffers[buffer].slot === slot;
        const isOperand =
          kernel.kind === "matmul" && (isOld(kernel.a.buffer) || isOld(kernel.b.buffer));
        const isHarmful = stages.some((other, at) =>
          other.code.some(
            (i) =>
              i.op === "load" &&
              isOld(i.access.buffer) &&
              (at > position || i.index !== undefined || !sameAccess(i.access, access)),
          ),
        );
        // Had an index been out of range, the state would be spoilt.
        const mayFail = stages.some(({ code }) => code.some(({ op }) => op === "check"));
        if (isOperand || isHarmful || mayFail) this.#moveToEnd(value, slot);
      }
    });
  }
}
