import { chooseAnchors } from "./anchors.ts";
import { Group } from "./group.ts";
import { type Kernel, stagesOf } from "./kernel.ts";
import { bufferOf, type LoweredKernel, lower } from "./lower.ts";
import { sameAccess } from "./memory.ts";
import { reached } from "./search.ts";
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
  const grouping = new Grouping();
  const groups = chooseAnchors(graph.values, fusion);
  for (const value of graph.values) {
    if (!value.isAnchor || value.op === "cat" || value.numel === 0) continue;
    if (!grouping.groupOf(value))
      grouping.include(groups[value.number] ?? new Group(value, fusion));
  }
  return new Ordering(graph, grouping, assigned, fusion, lowerLoop).run();
}

/**
 * How many groups are looked at to see whether two depend on each other. Those that are further apart are taken to: what one
 * computes would have to be kept for as long until the other is there.
 */
const farthest = 256;

/** Puts each anchor into a group of its own or into one that computes what it reads. */
class Grouping {
  readonly groups = new Set<Group>();
  readonly #byAnchor = new Map<Value, Group>();

  /** Takes in an anchor, of which this is a group alone. */
  include(alone: Group): void {
    const [{ value }] = alone.members;
    const producers = this.producers(alone).sort((a, b) => b.number - a.number);
    for (const group of producers) {
      if (this.#need(producers, group) || !group.join(value, producers)) continue;
      this.#byAnchor.set(value, group);
      this.#rank([group]);
      for (const other of producers) {
        if (other === group || this.#need(this.producers(group), other)) continue;
        if (this.#need(this.producers(other), group) || !group.absorb(other, value)) continue;
        for (const member of other.members) this.#byAnchor.set(member.value, group);
        this.groups.delete(other);
        for (const reader of other.readers) group.readers.add(reader);
        group.first = Math.min(group.first, other.first);
        this.#rank([group, ...group.readers]);
      }
      return;
    }
    this.groups.add(alone);
    for (const member of alone.members) this.#byAnchor.set(member.value, alone);
    this.#rank([alone]);
  }

  /** The group that computes an anchor. */
  groupOf(anchor: Value): Group | undefined {
    return this.#byAnchor.get(anchor);
  }

  /** The groups that compute what a group reads. */
  producers(group: Group): Group[] {
    const producers = new Set<Group>();
    for (const value of group.reads()) {
      for (const anchor of value.op === "cat" ? value.inputs : [value]) {
        const producer = this.#byAnchor.get(anchor);
        if (producer && producer !== group) producers.add(producer);
      }
    }
    return [...producers];
  }

  /** Whether one of these groups, the target itself aside, needs what the target computes, directly or not. */
  #need(groups: readonly Group[], target: Group): boolean {
    const behind = (list: readonly Group[]) => list.filter(({ rank }) => rank >= target.rank);
    const others = behind(groups).filter((group) => group !== target);
    if (others.length === 0) return false;
    let count = 0;
    for (const group of reached(others, (next) => behind(this.producers(next)))) {
      count += 1;
      if (group === target || count > farthest) return true;
    }
    return false;
  }

  /** Ranks groups behind all that they read, and those that read them behind them. */
  #rank(groups: Group[]): void {
    for (const group of groups) {
      const before = group.rank;
      for (const producer of this.producers(group)) {
        producer.readers.add(group);
        group.rank = Math.max(group.rank, producer.rank + 1);
      }
      if (group.rank > before) groups.push(...group.readers);
    }
  }
}

/** A group that must come before another, because of the state in this slot or, if that is -1, because of data. */
interface Wait {
  readonly group: Group;
  readonly slot: number;
}

/** Orders groups so that values exist before they are read and states are read before they change. */
class Ordering {
  readonly #graph: ValueGraph;
  readonly #grouping: Grouping;
  readonly #fusion: boolean;
  readonly #lowerLoop: (loop: Value) => LoweredKernel;
  readonly #states: Map<Value, number>;
  /** By the slots of states that cannot be written where they are: their new values, which are copied over at the end. */
  readonly #late = new Map<number, Value>();

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
    for (const [slot, value] of this.#late) {
      const copy = this.#graph.copy(value);
      copy.isAnchor = true;
      this.#states.set(copy, slot);
      kernels.push(lower(new Group(copy, this.#fusion), () => true));
    }
    return { kernels, states: this.#states };
  }

  /** A topological order that keeps to the order of creation where it can. */
  #order(): Group[] {
    const groups = [...this.#grouping.groups].sort((a, b) => a.first - b.first);
    const waits = this.#waits(groups);
    /** Those that were passed over, by what they wait for. */
    const held = new Map(groups.map((group) => [group, [] as Group[]]));
    /** Those that were passed over and may be ready now, the first one last. */
    let released: Group[] = [];
    const done = new Set<Group>();
    for (let next = 0; done.size < groups.length; ) {
      const group = released.pop() ?? groups[next++];
      if (!group) {
        this.#postpone(groups, waits, done);
        next = 0;
        continue;
      }
      const own = waits.get(group)!;
      while (own.length > 0 && this.#isOver(own[own.length - 1], done)) own.pop();
      if (own.length > 0) held.get(own[own.length - 1].group)!.push(group);
      else if (!done.has(group)) {
        done.add(group);
        released = [...released, ...held.get(group)!].sort((a, b) => b.first - a.first);
      }
    }
    return [...done];
  }

  /** What each group waits for: groups that compute what it reads, and that read what it changes. */
  #waits(groups: readonly Group[]): Map<Group, Wait[]> {
    const waits = new Map(
      groups.map((group): [Group, Wait[]] => [
        group,
        this.#grouping.producers(group).map((other) => ({ group: other, slot: -1 })),
      ]),
    );
    const writers = new Map([...this.#states].map(([anchor, slot]) => [slot, anchor]));
    for (const group of groups) {
      for (const { isLeaf, slot } of group.reads()) {
        const anchor = isLeaf ? writers.get(slot) : undefined;
        const writer = anchor && this.#grouping.groupOf(anchor);
        if (writer && writer !== group) waits.get(writer)!.push({ group, slot });
      }
    }
    return waits;
  }

  #isOver({ group, slot }: Wait, done: ReadonlySet<Group>): boolean {
    return done.has(group) || this.#late.has(slot);
  }

  /** Readers and writers of states wait for each other: lets one state keep its old value for longer. */
  #postpone(
    groups: readonly Group[],
    waits: ReadonlyMap<Group, readonly Wait[]>,
    done: ReadonlySet<Group>,
  ): void {
    for (const group of groups) {
      for (const wait of waits.get(group)!) {
        if (wait.slot < 0 || this.#isOver(wait, done)) continue;
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
    this.#late.set(slot, value);
  }

  /** Anchors whose values are needed outside of the kernel that computes them. */
  #stored(groups: readonly Group[]): Set<Value> {
    const stored = new Set<Value>();
    for (const group of groups) {
      for (const value of group.reads()) stored.add(value);
      for (const { value } of group.members) {
        if (value.isRoot || value.placement) stored.add(value);
      }
    }
    return stored;
  }

  /** A kernel may write a state that it reads only if it reads each element just before it writes it. */
  #checkStates(kernel: Kernel, buffers: readonly Value[]): void {
    const stages = stagesOf(kernel);
    const check = (
      position: number,
      isHarmful: (isOld: (buffer: number) => boolean) => boolean,
    ) => {
      const value = buffers[position];
      const slot = value && this.#states.get(bufferOf(value));
      const isOld = (buffer: number) =>
        buffers[buffer]?.isLeaf === true && buffers[buffer].slot === slot;
      if (slot !== undefined && isHarmful(isOld)) this.#moveToEnd(value, slot);
    };
    if (kernel.kind === "repeat") for (const position of kernel.writes) check(position, () => true);
    if (kernel.kind === "scatter" || kernel.kind === "sort") {
      check(kernel.target.buffer, (isOld) => buffers.some((_, i) => isOld(i)));
    }
    stages.forEach(({ stores }, position) => {
      for (const { access } of stores) {
        check(
          access.buffer,
          (isOld) =>
            // Had an index been out of range, the state would be spoilt.
            stages.some(({ code }) => code.some(({ op }) => op === "check")) ||
            (kernel.kind === "matmul" && (isOld(kernel.a.buffer) || isOld(kernel.b.buffer))) ||
            stages.some((other, at) =>
              other.code.some(
                (i) =>
                  i.op === "load" &&
                  isOld(i.access.buffer) &&
                  (at > position || i.index !== undefined || !sameAccess(i.access, access)),
              ),
            ),
        );
      }
    });
  }
}
