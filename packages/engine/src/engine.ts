import type { Backend } from "./backend.ts";
import { Box } from "./box.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { dtypeError, shapeError } from "./errors.ts";
import { cat, slice } from "./graph.ts";
import { type Node, nextNodeId } from "./node.ts";
import { joinPlaced, slicePlaced } from "./place.ts";
import type { PlanOptions } from "./plan.ts";
import type { Recording, Run } from "./recording.ts";
import { type PlanReport, reportOf } from "./report.ts";
import { Runner } from "./runner.ts";
import { countRepeated, distinct, reaches } from "./search.ts";
import { sameShape } from "./shape.ts";
import { type Goal, staleness, Walk } from "./walk.ts";

/** More recorded nodes than this are settled without being asked for. */
const mostPending = 8192;
/**
 * More than this likewise, in a loop that nobody reads from: where it is at the same place as when that last happened, so that
 * the plan is the same; or assigns to a state again.
 */
const mostPendingInLoop = 2048;
/** More bytes of inputs than this, recorded since the last time something was settled, likewise. */
const mostPendingBytes = 512 * 1024 * 1024;

/** How large things are at present. */
export interface EngineStats {
  /** Bytes of values in the backend's memory, and how many values. */
  readonly residentBytes: number;
  readonly residentValues: number;
  /** Bytes that the backend has taken from the system. */
  readonly memoryBytes: number;
  /** The largest arena that a plan in the cache needs. */
  readonly arenaBytes: number;
  /** Plans in the cache. */
  readonly plans: number;
  /** Plans and kernels compiled since the start. */
  readonly compiledPlans: number;
  readonly compiledKernels: number;
  /** Recorded and not yet settled: nodes that tensors hold, and assignments. */
  readonly pendingNodes: number;
  readonly pendingAssigns: number;
}

/** Knows what is recorded and waits, and when it is computed, with what else. */
export class Engine {
  #runner: Runner;
  /** States with an assignment to carry out. A list: sets that are emptied in each step grow anew each time. */
  #pending: Box[] = [];
  /** States that have no value yet, and what they start as. */
  #fresh = new Map<Box, Node>();
  #tracked: Node[] = [];
  /** Values that can be read until a state changes. */
  #held: Node[] = [];
  /** A quarter of the recorded nodes that are no one's. */
  #passed = 0;
  #inputBytes = 0;
  #horizon = 0;
  /** The operations recorded last, and those when nodes were settled without being asked for: a place in a loop. */
  #place = 0;
  #settlingPlace = 0;
  #recording: Recording | undefined;
  /** Asked at each settling for nodes that should be computed with it, whatever it is for. */
  wanted: (() => readonly Node[]) | undefined;

  constructor(backend: Backend, options: PlanOptions = {}) {
    this.#runner = new Runner(backend, options);
  }

  /** The backend in use. */
  get backend(): Backend {
    return this.#runner.backend;
  }

  /** Changes the backend; values move along, through the heap. */
  use(backend: Backend): void {
    if (backend === this.backend) return;
    this.realize([]);
    this.#runner = this.#runner.moved(backend);
  }

  /** A leaf for an array on the heap. The array belongs to the engine from now on. */
  input(data: TypedArray, shape: readonly number[], dtype: DType): Node {
    this.#inputBytes += data.byteLength;
    return new Box(dtype, shape, data).node;
  }

  /**
   * Records a slice, as {@link slice} does. Plans do not depend on where it starts, unless a function is being compiled: then
   * values stand for those of later calls.
   */
  slice(
    x: Node,
    starts: readonly number[],
    steps: readonly number[],
    shape: readonly number[],
  ): Node {
    return (this.#recording ? slice : slicePlaced)(x, starts, steps, shape);
  }

  /** Records that values lie one behind the other along an axis; at once, where they are on the heap and no function is being compiled. */
  cat(inputs: readonly Node[], axis: number): Node {
    const joined = this.#recording ? undefined : joinPlaced(inputs, axis);
    const node = cat(inputs, axis);
    return joined ? this.input(joined, node.shape, node.dtype) : node;
  }

  /** A state that starts as `initial`. What it is at any time is its `node`. */
  state(initial: Node): Box {
    // What an older state starts as is computed before what depends on it.
    if (initial.dependsOnState && !this.isSettled(initial)) this.#initialize();
    const box = new Box(initial.dtype, initial.shape, undefined, true);
    initial.consumed = true;
    this.#fresh.set(box, initial);
    return box;
  }

  /**
   * Records that a state takes a value.
   *
   * @throws ShapeError or DTypeError if the value has another one.
   */
  assign(box: Box, value: Node): void {
    const { shape, dtype } = box.node;
    const isOther = value.dtype !== dtype;
    if (isOther || !sameShape(value.shape, shape)) {
      const refuse = isOther ? dtypeError : shapeError;
      throw refuse`assign: the value must be ${dtype} ${shape} as the state is, got ${value.dtype} ${value.shape}. Use to(), expand() or reshape().`;
    }
    if (box.isPending && this.#tracked.length > mostPendingInLoop) this.realize([]);
    value.consumed = true;
    box.node = value;
    if (box.isPending) return;
    box.isPending = true;
    this.#pending.push(box);
  }

  /**
   * Says that somebody holds this node, and may read it later. Once something else consumes it, it is computed with
   * that only if it `isKept` and a scalar: then it costs nothing, and it may be a term of a loss, which people like to see.
   */
  track(node: Node, isKept: boolean = false): void {
    if (isKept && node.shape.length === 0) this.hold(node);
    this.#tracked.push(node);
    // Five bits for each of the last few operations; older ones leave by the left.
    this.#place = (this.#place << 5) ^ node.op.charCodeAt(0);
    const most = this.#place === this.#settlingPlace ? mostPendingInLoop : mostPending;
    const count = this.#tracked.length + this.#passed;
    if (count <= most && this.#inputBytes <= mostPendingBytes) return;
    this.realize(withoutStale(this.#tracked.filter((node) => !node.box && !node.consumed)));
    this.#settlingPlace = this.#place;
  }

  /** Says that somebody holds this node, where others are about to be tracked as well: nothing is settled before. */
  note(node: Node): void {
    this.#tracked.push(node);
  }

  /** Says that something was recorded that nobody holds. Four of these count as one held: a long sequence's attention is one plan. */
  passed(): void {
    this.#passed += 0.25;
  }

  /**
   * Says that somebody may read this node after a state that it depends on has changed, though something consumes it: until a
   * state changes the next time, or for good if it is small.
   */
  hold(node: Node): void {
    node.isHeld = node.dependsOnState;
  }

  /**
   * Computes these nodes, all pending assignments, and whatever is recorded, not consumed by anything, and
   * depends on a state that is about to change.
   */
  realize(nodes: readonly Node[]): void {
    this.#runner.memory.begin();
    this.#initialize();
    const states = this.#pending.map((box) => ({ box, value: box.node }));
    for (const node of nodes) {
      const { box } = node;
      node.isHeld = false;
      if (box && box.version !== node.version) throw staleness(node, box);
    }
    const wanted = this.wanted?.() ?? [];
    const settle = (others: readonly Node[]) =>
      this.#settle({ outputs: distinct([nodes, wanted, others], states), states });
    const dependents = this.#dependents(states);
    try {
      settle(dependents);
    } catch (error) {
      // Nobody has asked for those: what cannot be computed any more is an error of whoever reads it. After a run nothing is pending.
      const current = withoutStale(dependents);
      if (states.some(({ value }) => !withoutStale([value])[0])) this.#forget();
      if (!this.#pending[0] || current.length === dependents.length) throw error;
      settle(current);
    }
    for (const { box } of states) box.isPending = false;
    this.#pending = [];
    this.#tracked = this.#tracked.filter((node) => !node.box && !node.consumed);
    this.#passed = 0;
    this.#inputBytes = 0;
    this.#settlingPlace = 0;
    // What a function that is being recorded makes of its inputs is new in each of its runs: never old.
    if (!this.#recording) this.#horizon = nextNodeId();
  }

  /** The value of a node, or some of its elements, in a new array, in row-major order. Settles first. */
  async read(node: Node, start?: number, end?: number): Promise<TypedArray> {
    return this.#runner.memory.read(this.#settled(node), start, end);
  }

  /** The same at once, where the backend can. */
  readSync(node: Node, start?: number, end?: number): TypedArray {
    return this.#runner.memory.readSync(this.#settled(node), start, end);
  }

  /** Whether reading a node needs no computing. */
  isSettled(node: Node): boolean {
    const { box } = node;
    if (!box || this.#fresh.has(box)) return false;
    return box.version === node.version && !box.isReleased;
  }

  /**
   * Gives back the memory of a computed value that its owner will not read again. A value that something
   * recorded still needs stays.
   */
  release(node: Node): void {
    const { box } = node;
    if (!box || box.isState) return;
    const { storage } = box;
    if (!storage.host) {
      if (node.consumed) return;
      box.isReleased = storage.address !== undefined;
    }
    this.#runner.memory.drop(storage);
  }

  /** Runs `fn` and records which plans run in it, so that they can be run again on other inputs. */
  record<T>(inputs: readonly Node[], fn: () => T): { result: T; recording: Recording } {
    this.realize(inputs);
    const outer = this.#recording;
    const recording: Recording = { inputs: inputs.map((node) => node.box!), steps: [] };
    this.#recording = recording;
    try {
      return { result: fn(), recording };
    } finally {
      this.#recording = outer;
    }
  }

  /** Does something now, and again whenever what is being recorded is replayed. */
  effect(fn: () => void): void {
    fn();
    this.#recording?.steps.push(fn);
  }

  /** Runs a recording with other inputs: the boxes of these nodes' values, by those of the recording. */
  replay(recording: Recording, inputs: readonly Node[], wanted: readonly Node[]): Node[] {
    this.realize(inputs);
    const boxes = new Map(recording.inputs.map((box, i) => [box, inputs[i].box!]));
    const of = (box: Box) => boxes.get(box) ?? box;
    const computed = new Set<Box>();
    for (const step of recording.steps) {
      if (typeof step === "function") {
        step();
        continue;
      }
      const { plan, boxes: bound, scalars, outputs, states } = step;
      for (const box of outputs) {
        const fresh = new Box(box.node.dtype, box.node.shape);
        boxes.set(box, fresh);
        computed.add(fresh);
      }
      this.#runner.execute({
        plan,
        boxes: bound.map(of),
        scalars,
        outputs: outputs.map(of),
        states,
      });
      for (const box of states) box.renew();
    }
    const results = wanted.map((node) => (node.box ? of(node.box).node : node));
    for (const { box } of results) computed.delete(box!);
    for (const { storage } of computed) this.#runner.memory.drop(storage);
    return results;
  }

  /** What the plan would do that computes a node and all that is pending. Runs nothing. */
  explain(node: Node): PlanReport {
    this.#initialize();
    const states = this.#pending.map((box) => ({ box, value: box.node }));
    const outputs = node.box ? [] : [node];
    return reportOf(this.#runner.planFor(new Walk({ outputs, states }, 0)), undefined, 0);
  }

  /** Runs `fn` and reports each plan that ran in it, with times by kernel. */
  profile<T>(fn: () => T): { result: T; reports: PlanReport[] } {
    const reports: PlanReport[] = [];
    const outer = this.#runner.onRun;
    this.#runner.onRun = (report) => reports.push(report);
    try {
      return { result: fn(), reports };
    } finally {
      this.#runner.onRun = outer;
    }
  }

  /** How large things are at present. */
  stats(): EngineStats {
    const { memory, backend, cache, compiled } = this.#runner;
    return {
      residentBytes: memory.bytes,
      residentValues: memory.count,
      memoryBytes: backend.memoryBytes,
      arenaBytes: cache.arenaBytes,
      plans: cache.size,
      compiledPlans: compiled,
      compiledKernels: backend.compiledKernels,
      pendingNodes: this.#tracked.length,
      pendingAssigns: this.#pending.length,
    };
  }

  #settled(node: Node): Box {
    node.isHeld = false;
    if (this.isSettled(node)) return node.box!;
    // A copy of a state that nobody has used yet, such as one in a state dict, is not made just to be read.
    const original = node.box && this.#fresh.get(node.box);
    if (original && this.isSettled(original)) return original.box!;
    this.realize([node]);
    return node.box!;
  }

  /** Gives new states their first values, in a plan of their own: the plan of a step stays the same. */
  #initialize(): void {
    if (this.#fresh.size === 0) return;
    const all = [...this.#fresh].map(([box, value]) => ({ box, value }));
    this.#fresh.clear();
    for (const { box, value } of all) box.storage.host = value.box?.storage.host?.slice();
    const states = all.filter(({ box }) => box.storage.host === undefined);
    if (states.length === 0) return;
    try {
      this.#fill(states);
    } catch {
      // One of them cannot have a value: whoever uses that one is told.
      for (const { box } of states) this.#runner.memory.drop(box.storage);
      for (const state of states) {
        try {
          this.#fill([state]);
        } catch (error) {
          this.#runner.memory.drop(state.box.storage);
          state.box.failure = error;
        }
      }
    }
  }

  #fill(states: Goal["states"]): void {
    const walk = new Walk({ outputs: [], states }, 0);
    const run = this.#runner.bind(walk);
    this.#runner.execute(run);
    settleOutputs(walk, run);
  }

  /** Recorded nodes that nothing has consumed and that depend on one of these states, or on what can be read until they change. */
  #dependents(states: Goal["states"]): Node[] {
    if (states.length === 0) return [];
    // What is recorded to run again must not compute anything of those.
    const held = this.#recording ? [] : this.#held;
    const changing = [...states, ...held].map(({ box }) => box!);
    for (const box of changing) box.isChanging = true;
    const found = this.#tracked.filter(
      (node) =>
        !node.box &&
        !node.consumed &&
        node.dependsOnState &&
        reaches(node, (box) => box.isChanging),
    );
    for (const box of changing) box.isChanging = false;
    return found;
  }

  /** Gives back what could be read until a state changed, unless somebody did. */
  #releaseHeld(): void {
    for (const { box, isHeld } of this.#held) {
      if (!isHeld) continue;
      box!.isReleased = true;
      this.#runner.memory.drop(box!.storage);
    }
    this.#held = [];
  }

  #settle(goal: Goal): void {
    if (goal.outputs.length === 0 && goal.states.length === 0) return;
    let walk = new Walk(goal, this.#horizon);
    if (walk.old.length > 0) {
      this.#keep(walk.old);
      walk = new Walk(goal, this.#horizon);
    }
    const run = this.#runner.bind(walk);
    this.#recording?.steps.push(run);
    this.#attempt(run, this.#runner.onRun ? countRepeated(walk.order) : 0);
    for (const { box, value } of goal.states) {
      box.renew();
      // What depends on no state goes on meaning the same: it must not become one.
      if (!value.box && value.dependsOnState) value.settle(box);
    }
    settleOutputs(walk, run);
    if (goal.states.length > 0 && !this.#recording) this.#releaseHeld();
    for (const node of walk.held) {
      // One that is small is on the heap; one that is equal to what was asked for has the same box.
      if (node.box!.storage.host || run.outputs.indexOf(node.box!) < goal.outputs.length) continue;
      node.dependsOnState = true;
      this.#held.push(node);
    }
  }

  /** Computes old values, as {@link Walk.old} has them, in a plan of their own, so that all steps are alike. */
  #keep(outputs: readonly Node[]): void {
    const walk = new Walk({ outputs, states: [] }, 0);
    const run = this.#runner.bind(walk);
    this.#attempt(run);
    settleOutputs(walk, run);
  }

  /** States stay as they are, and nothing waits any longer. */
  #forget(): void {
    for (const box of this.#pending) {
      box.isPending = false;
      if (box.storage.address !== undefined) box.storage.host = undefined;
      box.renew();
    }
    this.#pending = [];
    this.#tracked = [];
  }

  /** Executes a run; if it fails, states stay as they are and what waited is forgotten. */
  #attempt(run: Run, recomputed = 0): void {
    try {
      this.#runner.execute(run, recomputed);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }
}

/** Gives what was computed to the nodes that it is the value of. */
function settleOutputs({ goal }: Walk, { outputs }: Run): void {
  goal.outputs.forEach((node, i) => {
    const [input] = node.inputs; // none where it was settled with another one
    node.settle(outputs[i]);
    // What has the same elements need not be computed for its own sake.
    if (node.op === "reshape" && input && !input.box) input.settle(outputs[i]);
  });
}

/** Nodes apart from those that were recorded of what has changed since, or was given back: nothing computes these any more. */
function withoutStale(nodes: readonly Node[]): Node[] {
  return nodes.filter((node) => {
    const isStale = reaches(node, (box, { version }) => box.version !== version || box.isReleased);
    if (isStale) node.consumed = true;
    return !isStale;
  });
}
