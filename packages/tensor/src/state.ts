import type { Box, Node } from "@gradloom/engine";

/** A value that changes in place. Several tensors may share it, as a parameter and its `detach()` do. */
export class State {
  readonly box: Box;
  /** How often it has been assigned to, carried out or not. */
  assignments: number = 0;

  constructor(box: Box) {
    this.box = box;
  }

  /** The value as it is after all assignments so far. */
  get node(): Node {
    return this.box.node;
  }
}
