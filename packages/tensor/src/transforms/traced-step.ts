import { isFloat, isView, Node, nextNodeId, reached } from "@gradloom/engine";
import { partials } from "../autograd.ts";
import { isGradEnabled } from "../grad-mode.ts";
import { History, inputsOf } from "../history.ts";
import { requireSynchronous } from "../synchronous.ts";
import { Tensor } from "../tensor.ts";
import { trace } from "../tracing.ts";

/** What one repetition does: from the carry and the elements at its time to the next carry and outputs. */
export type ScanStep = (
  carry: readonly Tensor[],
  elements: readonly Tensor[],
) => readonly [carry: readonly Tensor[], outputs: readonly Tensor[]];

/** A step that has been recorded, and its gradients. */
export class TracedStep {
  /** Nodes before this one are from outside. */
  readonly start: number;
  readonly carries: readonly Tensor[];
  readonly elements: readonly Tensor[];
  readonly results: readonly [carry: readonly Tensor[], outputs: readonly Tensor[]];
  /** What the step uses from outside and requires a gradient. */
  readonly captured: readonly Tensor[];
  /** Stand-ins for the gradients of results; `undefined` for those that require none. */
  readonly cotangents: readonly (Node | undefined)[];
  /** Gradients of carries, elements and captured tensors; `undefined` where there is none. */
  readonly gradients: readonly (Node | undefined)[];
  /** What the gradients read of what the step has computed. */
  readonly saved: readonly Node[];
  /** Tensors that were recorded before this are from outside. */
  readonly #began: History = new History("scan", [], []);

  constructor(
    step: ScanStep,
    carries: readonly Node[],
    elements: readonly Node[],
    given: readonly Tensor[],
  ) {
    this.start = Math.min(nextNodeId(), ...[...carries, ...elements].map(({ id }) => id));
    const differentiate = isGradEnabled();
    const standIn = (node: Node, requiresGrad: boolean) => {
      const tensor = new Tensor(node);
      tensor.requiresGrad = differentiate && requiresGrad;
      return tensor;
    };
    this.carries = carries.map((node) => standIn(node, isFloat(node.dtype)));
    this.elements = elements.map((node, i) => standIn(node, given[i].requiresGrad));
    this.results = trace("scan", () =>
      requireSynchronous("scan", step(this.carries, this.elements)),
    );
    const results = this.results.flat();
    this.captured = differentiate ? this.#capture(results) : [];
    const gradStart = nextNodeId();
    this.cotangents = results.map(({ requiresGrad, node: { shape, dtype } }, k) =>
      differentiate && requiresGrad ? new Node("argument", [], [k], shape, dtype) : undefined,
    );
    const inputs = [...this.carries, ...this.elements, ...this.captured];
    const wanted = inputs.filter(({ requiresGrad }) => requiresGrad);
    const outputs = results.filter((_, k) => this.cotangents[k] !== undefined);
    const seeds = this.cotangents.flatMap((node) => (node ? [new Tensor(node)] : []));
    const found =
      outputs.length === 0
        ? []
        : trace("scan", () => partials("scan", outputs, wanted, seeds, false));
    this.gradients = inputs.map((input) => found[wanted.indexOf(input)]?.node);
    this.saved = this.#findSaved(gradStart);
  }

  /** Whether a node is the same in all repetitions. */
  isOutside({ id, box, op }: Node): boolean {
    return id < this.start || box !== undefined || op === "scalar" || op === "constant";
  }

  #capture(results: readonly Tensor[]): Tensor[] {
    // Where the gradients of an inner loop meet is a constant, but made here.
    const isOutside = ({ history, node }: Tensor) =>
      history ? history.order < this.#began.order : this.isOutside(node);
    const found = reached(results, (tensor) => (isOutside(tensor) ? [] : inputsOf(tensor)));
    return [...found].filter((tensor) => tensor.requiresGrad && isOutside(tensor));
  }

  #findSaved(gradStart: number): Node[] {
    const given = new Set([...this.elements.map(({ node }) => node), ...this.cotangents]);
    const isGiven = (node: Node) => this.isOutside(node) || given.has(node);
    // Views are recomputed where they are needed rather than kept.
    const isAnew = ({ id, op }: Node) => id >= gradStart || isView(op) || op === "iota";
    const roots = this.gradients.filter((node) => node !== undefined);
    const found = reached(roots, (node) => (isAnew(node) && !isGiven(node) ? node.inputs : []));
    const saved = [...found].filter((node) => !isAnew(node) && !isGiven(node));
    return saved.sort((a, b) => a.id - b.id);
  }
}
