import { stateError } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The gradient with respect to one input of an operation, given the gradient with respect to its
 * output, the output, and all inputs. It may be larger than the input along broadcast axes: `backward`
 * sums over those.
 */
export type Gradient = (grad: Tensor, output: Tensor, ...inputs: Tensor[]) => Tensor;

/** A rule for each input of an operation, in order; `undefined` where no gradient flows. */
export type Gradients = readonly (Gradient | undefined)[];

const none: readonly never[] = [];
let recorded = 0;

/** How a tensor came to be, as far as gradients need it. */
export class History {
  /** The operation that made the tensor, by its public name. */
  readonly op: string;
  /** Grows with each record, so that inputs have smaller numbers. */
  readonly order: number = recorded++;
  inputs: readonly Tensor[];
  gradients: Gradients;
  /** Whether `backward` keeps the gradient of this tensor, though it is not a leaf. */
  retainsGrad: boolean = false;
  freed: boolean = false;
  /** The last tensor that all gradients of this one pass through; while they are computed. */
  last: Tensor | undefined = undefined;
  /** The last search for what lies behind a tensor that has come by here. */
  mark: number = 0;
  /** How often the inputs had been assigned to, together: none of these numbers ever goes down. */
  private readonly assignments: number;

  constructor(op: string, inputs: readonly Tensor[], gradients: Gradients) {
    this.op = op;
    this.inputs = inputs;
    this.gradients = gradients;
    this.assignments = countAssignments(inputs);
  }

  /** Lets go of all that only gradients needed. */
  free(): void {
    this.inputs = none;
    this.gradients = none;
    this.last = undefined;
    this.freed = true;
  }

  /**
   * Rules use the inputs as they are now, so these must still be what they were.
   *
   * @throws StateError if the history was freed, or an input has been assigned to.
   */
  check(caller: string): void {
    if (this.freed) {
      throw stateError`${caller}: the graph must still exist, got "${this.op}" freed by an earlier backward(). Pass { retainGraph: true } to that.`;
    }
    if (countAssignments(this.inputs) !== this.assignments) {
      throw stateError`${caller}: inputs of "${this.op}" must be unchanged, got one that was assigned to. Call backward() before, or use a clone().`;
    }
  }
}

/** What a tensor was made of, as far as gradients need it. */
export function inputsOf({ history }: Tensor): readonly Tensor[] {
  return history?.inputs ?? none;
}

function countAssignments(tensors: readonly Tensor[]): number {
  let count = 0;
  for (let i = 0; i < tensors.length; i++) count += tensors[i].state?.assignments ?? 0;
  return count;
}
