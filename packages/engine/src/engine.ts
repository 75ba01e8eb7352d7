import type { Backend } from "./backend.ts";
import type { Box } from "./box.ts";
import type { DType, TypedArray } from "./dtype.ts";
import type { Node } from "./node.ts";

/** How large things are at present. */
export interface EngineStats {
  /** Bytes of values in the backend's memory, and how many. */
  readonly residentBytes: number;
  readonly residentBoxes: number;
  /** Bytes that the backend has taken from the system, and of the arena that plans share. */
  readonly memoryBytes: number;
  readonly arenaBytes: number;
  /** Plans in the cache; plans and kernels compiled since the start; nodes and assigns not yet settled. */
  readonly plans: number;
  readonly compiledPlans: number;
  readonly compiledKernels: number;
  readonly pendingNodes: number;
  readonly pendingAssigns: number;
}

/** The public surface of the engine that `@gradloom/tensor` uses. (Implementation follows.) */
export interface EngineApi {
  readonly backend: Backend;
  /** Changes the backend; settled values move along. */
  use(backend: Backend): void;
  /** A leaf node for an array on the heap, which the engine keeps and must not change afterwards. */
  input(data: TypedArray, shape: readonly number[], dtype: DType): Node;
  /** A state whose value is that of `initial`. Reading goes through `box.node`. */
  state(initial: Node): Box;
  /** Records that the state takes this value (same shape and dtype). */
  assign(box: Box, value: Node): void;
  /** Says that a tensor holds this node, so that it may be read later. */
  track(node: Node): void;
  /** Computes: these nodes, every pending assign, what would go stale. */
  realize(nodes: readonly Node[]): void;
  /** The value of a node in a new array, row-major; settles first. */
  read(node: Node): Promise<TypedArray>;
  readSync(node: Node): TypedArray;
  stats(): EngineStats;
}
