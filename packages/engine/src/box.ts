import type { DType, TypedArray } from "./dtype.ts";
import { Node, noInputs } from "./node.ts";
import { Storage } from "./storage.ts";

const noAttributes: readonly number[] = [];

/** A value, or a state, which changes: what nodes and recordings hold. Only the engine touches these fields. */
export class Box {
  /** Where the bytes are. */
  readonly storage: Storage;
  /** Of what this is a part, and from which element on: its bytes are there. */
  source: Box | undefined = undefined;
  offset: number = 0;
  /** For messages: the name of a parameter, say. */
  name: string = "a tensor";
  /** Counts the assignments that have been carried out. */
  version: number = 0;
  /** Counts the assignments that have been recorded: tensors of the state look at it. */
  assignments: number = 0;
  /** Used by walks over the graph: in which walk this box was met, and as which number. */
  mark: number = 0;
  slot: number = 0;
  /** Whether plans change it: parameters, buffers, moments. */
  readonly isState: boolean;
  /** Whether it has an assignment that is still to be carried out. */
  isPending: boolean = false;
  /** Whether the plan being made assigns to it. */
  isChanging: boolean = false;
  /** Whether a plan has used it already; an input used twice stays resident. */
  isUsed: boolean = false;
  /** Whether it was given back, so that its value is gone. */
  isReleased: boolean = false;
  /** Why a state has no value: computing its first one has failed. */
  failure: unknown = undefined;
  /** What this state is now: a leaf, or the node of an assignment that is still to be carried out. */
  node: Node;
  #lastPart: Box | undefined = undefined;

  constructor(dtype: DType, shape: readonly number[], host?: TypedArray, isState = false) {
    let length = 1;
    for (const size of shape) length *= size;
    this.storage = new Storage(dtype, length, host);
    this.isState = isState;
    this.node = new Node("box", noInputs, noAttributes, shape, dtype, this);
  }

  /** Elements that lie one behind the other, as a value of their own. The last part is remembered: asked again, it is the same. */
  part(offset: number, length: number): Box {
    const last = this.#lastPart;
    if (last?.offset === offset && last.storage.length === length) return last;
    const part = new Box(this.node.dtype, [length]);
    part.source = this;
    part.offset = offset;
    this.#lastPart = part;
    return part;
  }

  /** After an assignment: the node that stands for the value as it is now. */
  renew(): void {
    const { shape, dtype } = this.node;
    this.version += 1;
    this.node = new Node("box", noInputs, noAttributes, shape, dtype, this);
  }
}
