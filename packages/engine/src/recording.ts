import type { Box } from "./box.ts";
import type { Node } from "./node.ts";
import type { Plan } from "./plan.ts";

/** One run of a plan, with all that it was bound to. */
export interface Run {
  readonly plan: Plan;
  /** By slot. */
  readonly boxes: readonly Box[];
  readonly scalars: readonly Node[];
  readonly outputs: readonly Box[];
  /** The states that it assigned. */
  readonly states: readonly Box[];
}

/** What ran while a function was recorded: enough to run it again on other inputs, without the function. */
export interface Recording {
  readonly inputs: readonly Box[];
  /** In order: an effect, such as the count of steps, is there for what runs behind it. */
  readonly steps: (Run | (() => void))[];
}
