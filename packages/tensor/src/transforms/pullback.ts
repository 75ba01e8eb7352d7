import { reached } from "@gradloom/engine";
import { partials } from "../autograd.ts";
import { argumentError, shapeError } from "../errors.ts";
import { isGradEnabled, withGradMode } from "../grad-mode.ts";
import { History, inputsOf } from "../history.ts";
import { requireFloat } from "../promote.ts";
import { literal } from "../record.ts";
import { requireSynchronous } from "../synchronous.ts";
import { Tensor } from "../tensor.ts";
import { leavesOf, mapTensors, replaceTensors } from "./tree.ts";

/** What a function gave for stand-ins of its inputs. Only gradients go back through it. */
export class Pullback {
  readonly op: string;
  /** What `fn` returned, for use inside of the transform: {@link Pullback.outward} is for the caller. */
  readonly returned: unknown;
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly #own: ReadonlySet<Tensor>;

  /**
   * Runs `fn` on `args`, with stand-ins for the tensors of those arguments that `argnums` names.
   *
   * @throws ArgumentError if an argument does not exist, has no tensor, or `fn` returns anything but tensors.
   * DTypeError if a tensor is not floating.
   * @param inner - A pullback that this one differentiates: its stand-ins are as good as those of this one.
   */
  constructor(
    op: string,
    fn: (...args: readonly never[]) => unknown,
    args: readonly unknown[],
    argnums: readonly number[],
    inner?: Pullback,
  ) {
    this.op = op;
    const given = [...args];
    const inputs: Tensor[] = [];
    for (const argnum of argnums) {
      const leaves = leavesOf(args[argnum]);
      if (leaves.length === 0) {
        throw argumentError`${op}: argnums must name arguments with tensors, got ${argnum} of ${args.length} arguments.`;
      }
      const replacements = leaves.map((leaf) => standIn(op, leaf));
      given[argnum] = replaceTensors(args[argnum], replacements);
      inputs.push(...replacements);
    }
    this.inputs = inputs;
    this.#own = new Set([...inputs, ...(inner ? inner.#own : [])]);
    this.returned = withGradMode(true, () => requireSynchronous(op, fn(...(given as never[]))));
    this.outputs = outputsOf(op, this.returned);
  }

  /**
   * The gradients of the inputs for given gradients of the outputs, or of one of them; zeros where there is none.
   * They can be differentiated themselves, with respect to all but the stand-ins.
   */
  gradients(
    gradOutputs: readonly (Tensor | undefined)[],
    createGraph: boolean,
    only?: number,
  ): Tensor[] {
    const { op, inputs, outputs } = this;
    const counts = outputs.map(
      ({ requiresGrad }, i) => requiresGrad && (only === undefined || only === i),
    );
    const of = <T>(list: readonly T[]) => list.filter((_, i) => counts[i]);
    const found = partials(op, of(outputs), inputs, of(gradOutputs), createGraph);
    return found.map((gradient, i) => gradient ?? literal(0, inputs[i]).expand(inputs[i].shape));
  }

  /** {@link gradients} as the caller sees them. */
  outwardGradients(gradOutputs: readonly (Tensor | undefined)[], only?: number): Tensor[] {
    const gradients = this.gradients(gradOutputs, isGradEnabled(), only);
    return gradients.map((gradient) => this.outward(gradient));
  }

  /** What `fn` returned as the caller sees it. */
  get result(): unknown {
    return mapTensors(this.returned, (leaf) => this.outward(leaf));
  }

  /** A result as the caller sees it: it requires a gradient only if something outside of this transform does. */
  outward(result: Tensor): Tensor {
    return isGradEnabled() && this.#leavesTransform(result) ? result : new Tensor(result.node);
  }

  /** Whether gradients lead anywhere but to the stand-ins. */
  #leavesTransform(result: Tensor): boolean {
    for (const tensor of reached([result], inputsOf)) {
      const isLeaf = inputsOf(tensor).length === 0;
      if (isLeaf && tensor.requiresGrad && !this.#own.has(tensor)) return true;
    }
    return false;
  }

  /** The only output, which a loss is. */
  get scalar(): Tensor {
    const [output] = this.outputs;
    if (this.outputs.length !== 1 || output.numel !== 1) {
      throw shapeError`${this.op}: fn must return a scalar, got ${this.outputs.map(({ shape }) => shape)}. Use vjp() or jacobian().`;
    }
    return output;
  }
}

/** The tensors that `fn` returned, at least one. */
export function outputsOf(op: string, returned: unknown): Tensor[] {
  const outputs = leavesOf(returned);
  if (outputs.length > 0) return outputs;
  throw argumentError`${op}: fn must return tensors, got ${typeof returned}.`;
}

/** A tensor with the value of another, which gradients can be asked for whether or not they go further back. */
function standIn(op: string, x: Tensor): Tensor {
  requireFloat(op, x);
  const result = new Tensor(x.node);
  const goesOn = x.requiresGrad && isGradEnabled();
  result.requiresGrad = true;
  result.history = goesOn ? new History(op, [x], [(grad) => grad]) : new History(op, [], []);
  return result;
}
