import type { DType, TypedArray } from "./dtype.ts";
import { Node, noInputs } from "./node.ts";

const noAttributes: readonly number[] = [];

/**
 * A value: bytes that are in an array on the JavaScript heap, resident in the backend's memory, or both;
 * or neither, for a state that has only been recorded. Only the engine touches these fields.
 */
export class Box {
  readonly dtype: DType;
  readonly length: number;
  /** For messages: the name of a parameter, say. */
  name: string = "a tensor";
  /** Counts the assignments that have been carried out. */
  version: number = 0;
  /** The bytes on the heap, if they are there and current. */
  host: TypedArray | undefined;
  /** Where the bytes are in the backend's memory, if they are there. They are current. */
  address: number | undefined = undefined;
  /** When a plan last used it: what was not used for longest is paged out first. */
  lastUse: number = 0;
  /** Used by walks over the graph: in which walk this box was met, and as which number. */
  mark: number = 0;
  slot: number = 0;
  /** Where it is among the resident boxes, while it is in the backend's memory. */
  position: number = -1;
  /** Whether plans change it: parameters, buffers, moments. */
  readonly isState: boolean;
  /** Whether it has an assignment that is still to be carried out. */
  isPending: boolean = false;
  /** Whether the plan being made assigns to it. */
  isChanging: boolean = false;
  /** Whether a plan has used it already; an input used twice stays resident. */
  isUsed: boolean = false;
  /** Whether it was paged out before. */
  isPagedOut: boolean = false;
  /** Whether it was given back, so that its value is gone. */
  isReleased: boolean = false;
  /** Why a state has no value: computing its first one has failed. */
  failure: unknown = undefined;
  /** What this state is now: a leaf, or the node of an assignment that is still to be carried out. */
  node: Node;

  constructor(dtype: DType, shape: readonly number[], host?: TypedArray, isState = false) {
    let length = 1;
    for (const size of shape) length *= size;
    this.dtype = dtype;
    this.length = length;
    this.host = host;
    this.isState = isState;
    this.node = new Node("box", noInputs, noAttributes, shape, dtype, this);
  }

  /** After an assignment: the node that stands for the value as it is now. */
  renew(): void {
    this.version += 1;
    this.node = new Node("box", noInputs, noAttributes, this.node.shape, this.dtype, this);
  }
}
