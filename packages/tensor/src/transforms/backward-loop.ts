import {
  constant,
  copyGraph,
  element,
  expand,
  isView,
  matmul,
  Node,
  permute,
  reduce,
  repeat,
  reshape,
} from "@gradloom/engine";
import { Tensor } from "../tensor.ts";
import { batched, repeated } from "./batching.ts";
import type { TracedStep } from "./traced-step.ts";

/** A sum over all repetitions of what a step gives, made of what steps give for all of them. */
type Total = (all: (node: Node) => Node) => Node;

/**
 * The gradients of the initial carries, elements and captured tensors of a loop, given those of its results: from the last
 * repetition to the first. Gradients of what is the same in all repetitions are sums over them: those of matrix products become
 * one product after the loop, others are carried along.
 *
 * @param elementsOfAll - `[count, …]`: what repetitions were given.
 * @param savedOfAll - `[count, …]`: what they have left behind.
 */
export function backwardLoop(
  step: TracedStep,
  count: number,
  reverse: boolean,
  elementsOfAll: readonly Node[],
  savedOfAll: readonly Node[],
  gradOutputs: readonly (Tensor | undefined)[],
): (Tensor | null)[] {
  const { carries, elements, cotangents, gradients } = step;
  const flowing = carries.map((_, i) => i).filter((i) => cotangents[i] !== undefined);
  const ofElements = gradients.slice(carries.length, carries.length + elements.length);
  const ofCaptured = gradients.slice(carries.length + elements.length);
  const given = cotangents.flatMap((node, k) => {
    const grad = k < carries.length ? undefined : gradOutputs[k]?.node;
    return !node || !grad ? [] : [{ node, grad }];
  });
  // Everything that is there for all repetitions, by what stands for it in one.
  const stacked = new Map<Node, Node>([
    ...given.map(({ node, grad }): [Node, Node] => [node, grad]),
    ...step.saved.map((node, i): [Node, Node] => [node, savedOfAll[i]]),
    ...elements.map(({ node }, i): [Node, Node] => [node, elementsOfAll[i]]),
  ]);
  const kept: Node[] = [];
  const keep = (node: Node): void => {
    const base = baseOf(node);
    if (!stacked.has(base) && !step.isOutside(base) && !kept.includes(base)) kept.push(base);
  };
  const totals = ofCaptured.map((node) => node && totalOf(node, count, keep));
  const carried = ofCaptured.map((_, i) => i).filter((i) => ofCaptured[i] && !totals[i]);
  const sources = [...stacked.keys()];
  const loop = repeat(
    count,
    (flow, element) => {
      const known = new Map<Node, Node>(sources.map((node, i) => [node, element[i]]));
      flowing.forEach((carry, i) => {
        known.set(cotangents[carry]!, flow[i]);
      });
      for (const node of cotangents) {
        if (node && !known.has(node)) known.set(node, zeros(node));
      }
      const outside = (node: Node) => (step.isOutside(node) ? node : undefined);
      // On the elements and gradients of this repetition.
      const copy = (node: Node) => copyGraph([node], known, outside)[0];
      const next = flowing.map((i) => {
        const gradient = gradients[i];
        return gradient ? copy(gradient) : zeros(carries[i].node);
      });
      const sums = carried.map((i, at) => {
        const sum = flow[flowing.length + at];
        return sumOf(sum, copy(ofCaptured[i]!));
      });
      const outputs = [...ofElements.filter((node) => node !== undefined), ...kept].map(copy);
      return { carries: [...next, ...sums], outputs };
    },
    [
      ...flowing.map((i) => gradOutputs[i]?.node ?? zeros(carries[i].node)),
      ...carried.map((i) => zeros(ofCaptured[i]!)),
    ],
    sources.map((node) => stacked.get(node)!),
    !reverse,
  );
  let next = 0;
  const elementGradients = ofElements.map((node) => node && loop.outputs[next++]);
  for (const node of kept) stacked.set(node, loop.outputs[next++]);
  const all = (node: Node): Node => {
    let whole = stacked.get(node);
    if (!whole) {
      whole =
        isView(node.op) && !step.isOutside(baseOf(node))
          ? batched(node, node.inputs.map(all), count)
          : repeated(node, count);
      stacked.set(node, whole);
    }
    return whole;
  };
  const capturedGradients = ofCaptured.map((node, i) => {
    const total = totals[i];
    if (total) return total(all);
    return node && loop.carries[flowing.length + carried.indexOf(i)];
  });
  const carryGradients = carries.map((_, i) => gradients[i] && loop.carries[flowing.indexOf(i)]);
  return [...carryGradients, ...elementGradients, ...capturedGradients].map((node) =>
    node ? new Tensor(node) : null,
  );
}

function sumOf(a: Node, b: Node): Node {
  return element("add", [a, b], a.dtype);
}

/** Zeros in the place of a node. */
export function zeros({ dtype, shape }: Node): Node {
  return expand(constant(0, dtype), shape);
}

/** What a node is a view of. */
function baseOf(node: Node): Node {
  return isView(node.op) ? baseOf(node.inputs[0]) : node;
}

/**
 * `Σₜ node`, if it can be computed from its operands for all repetitions: a matrix product over the repetitions as further
 * terms, sums, and views and sums of such. `keep` is told which operands that takes.
 */
function totalOf(node: Node, count: number, keep: (node: Node) => void): Total | undefined {
  const { op, inputs, attributes, shape, dtype } = node;
  const [x, y] = inputs;
  if (op === "permute" || op === "reshape") {
    const total = totalOf(x, count, keep);
    return total && ((all) => new Node(op, [total(all)], attributes, shape, dtype));
  }
  if (op === "add" && inputs.every((input) => String(input.shape) === String(shape))) {
    const totals = inputs.map((input) => totalOf(input, count, keep));
    if (!totals[0] || !totals[1]) return undefined;
    const [a, b] = totals as Total[];
    return (all) => sumOf(a(all), b(all));
  }
  if (op === "reduce:sum") {
    keep(x);
    return (all) => reduce("sum", all(x), [0, ...attributes.map((axis) => axis + 1)]);
  }
  if (op === "matmul" && shape.length === 2 && inputs.length === 2) {
    keep(x);
    keep(y);
    const [m, k] = x.shape;
    return (all) =>
      matmul(
        reshape(permute(all(x), [1, 0, 2]), [m, count * k]),
        reshape(all(y), [count * k, shape[1]]),
      );
  }
  return undefined;
}
