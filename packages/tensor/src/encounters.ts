import { nextNodeId } from "@gradloom/engine";
import { Context } from "./context.ts";
import type { Tensor } from "./tensor.ts";

/**
 * What a function that is being compiled meets from outside and may be something else in a later call. Tensors are from
 * outside if they were recorded before.
 */
export class Encounters {
  readonly start: number = nextNodeId();
  /** Tensors that it reads as constants. */
  readonly constants: Set<Tensor> = new Set();
  /** Tensors whose gradients it sets. */
  readonly gradients: Set<Tensor> = new Set();
  /** Whether what it has asked for is still so. */
  readonly holds: (() => boolean)[] = [];
  /** Whether it uses a gradient that was there before: each call has another one. */
  usesGradient: boolean = false;

  /** Whether a later call of the function would do the same. */
  hold(): boolean {
    for (const { state } of this.constants) if (state) return false;
    return this.holds.every((holds) => holds());
  }
}

/** Of the function that is being compiled now. */
export const encounters: Context<Encounters | undefined> = new Context<Encounters | undefined>(
  undefined,
);
