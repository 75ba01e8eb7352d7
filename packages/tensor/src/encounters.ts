import { type Node, nextNodeId } from "@gradloom/engine";
import { Context } from "./context.ts";
import type { Tensor } from "./tensor.ts";

/**
 * What a function that is being compiled meets from outside and may be something else in a later call. Tensors are from
 * outside if they were recorded before.
 */
export class Encounters {
  readonly start: number = nextNodeId();
  /** What it is given. */
  readonly inputs: readonly Node[];
  /** Tensors that it uses. */
  readonly used: Set<Tensor> = new Set();
  /** Tensors whose gradients it sets. */
  readonly gradients: Set<Tensor> = new Set();
  /** Whether what it has asked for is still so. */
  readonly holds: (() => boolean)[] = [];
  /** Whether it uses a gradient that was there before: each call has another one. */
  usesGradient: boolean = false;

  constructor(inputs: readonly Node[]) {
    this.inputs = inputs;
  }

  /** What has no state is read as a constant, until it has one. */
  use(tensor: Tensor): void {
    if (this.used.has(tensor)) return;
    this.used.add(tensor);
    watch(() => tensor.state);
  }
}

/** Of the function that is being compiled now. */
export const encounters: Context<Encounters | undefined> = new Context<Encounters | undefined>(
  undefined,
);

/** What `read` gives now. A compiled function that has asked for it runs anew where it is something else. */
export function watch<T>(read: () => T): T {
  const value = read();
  encounters.value?.holds.push(() => read() === value);
  return value;
}
