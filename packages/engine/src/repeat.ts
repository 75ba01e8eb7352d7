import type { DType } from "./dtype.ts";
import { argumentError, shapeError, stateError } from "./errors.ts";
import { entryOf } from "./graph.ts";
import { Node, nextNodeId } from "./node.ts";
import type { Assembly } from "./plan.ts";
import { copyGraph } from "./search.ts";
import { sameShape } from "./shape.ts";
import { type Signature, Walk } from "./walk.ts";

/** Bodies kept at most; the one recorded first goes first. */
const capacity = 1024;

/** What is repeated: a graph on arguments. */
export interface Body {
  readonly id: number;
  /** Carried values as they are next, then outputs of one repetition. */
  readonly results: readonly Node[];
  /** How it was planned, by the options of that: the same however often it is repeated. */
  readonly assemblies: Map<string, Assembly>;
}

const bodies = new Map<number, Body & { readonly hash: number; readonly signature: Signature }>();
let created = 0;

/**
 * The body with this number.
 *
 * @throws StateError if so many others were recorded since that it is gone.
 */
export function bodyOf(id: number): Body {
  const body = bodies.get(id);
  if (body !== undefined) return body;
  throw stateError`scan: a loop must be computed before ${capacity} other ones are recorded. Pass it to realize() before.`;
}

/** What {@link repeat} gives: carried values after the last repetition, and outputs, `[count, …]`. */
export interface Repeated {
  readonly carries: readonly Node[];
  readonly outputs: readonly Node[];
}

/**
 * A loop as one node: calls `step` once, to record what a repetition does, and computes it `count` times in a plan of
 * constant size,
 *
 *     carries[t + 1], outputs[t] = step(carries[t], elements[t])        t = 0 … count - 1
 *
 * What `step` uses besides (weights, say) is the same in all repetitions.
 *
 * @param initial - `carries[0]`.
 * @param elements - `[count, …]`: repetition `t` gets element `t`.
 * @param reverse - From the last element to the first; output `t` still belongs to element `t`.
 * @throws ShapeError if a carried value changes its shape or dtype; ArgumentError if `step` draws random numbers, which would
 * be the same each time.
 */
export function repeat(
  count: number,
  step: (carries: readonly Node[], elements: readonly Node[]) => Repeated,
  initial: readonly Node[],
  elements: readonly Node[],
  reverse = false,
): Repeated {
  for (const { shape } of elements) {
    if (shape[0] === count) continue;
    throw shapeError`scan: elements must have the ${count} repetitions as their first axis, got ${shape}.`;
  }
  if (!Number.isInteger(count) || count < 1) {
    throw argumentError`scan: there must be at least one repetition, got ${count}.`;
  }
  const start = nextNodeId();
  const carried = initial.map((node, i) => argument(node, i));
  const given = elements.map((node, i) => argument(node, initial.length + i, node.shape.slice(1)));
  const { carries, outputs } = step(carried, given);
  initial.forEach(({ shape, dtype }, i) => {
    const next = carries[i];
    if (next.dtype === dtype && sameShape(next.shape, shape)) return;
    throw shapeError`scan: a step must give each carried value the shape and dtype that it has, ${dtype} ${shape}, got ${next.dtype} ${next.shape}.`;
  });
  const { results, captured } = isolate([...carries, ...outputs], start, [...carried, ...given]);
  const body = intern(results);
  const loop = new Node(
    "loop",
    [...initial, ...elements, ...captured],
    [body.id, count, initial.length, elements.length, reverse ? 1 : 0],
    [],
    "float32",
  );
  const part = ({ shape, dtype }: { shape: readonly number[]; dtype: DType }, k: number) =>
    new Node("part", [loop], [k], [k < initial.length ? 2 : count, ...shape], dtype);
  const parts = results.map(part);
  return {
    // Of the two places that a carried value has in turn, the one that it is in after the last repetition.
    carries: parts.slice(0, initial.length).map((node) => entryOf(node, (count - 1) % 2)),
    outputs: parts.slice(initial.length),
  };
}

/** What stands for a value of which only shape and dtype are known. */
function argument({ shape, dtype }: Node, i: number, own = shape): Node {
  return new Node("argument", [], [i], own, dtype);
}

/** A copy of a graph that depends on nothing outside: values from before `start`, states and numbers are arguments. */
function isolate(
  results: readonly Node[],
  start: number,
  placeholders: readonly Node[],
): { results: Node[]; captured: Node[] } {
  const captured: Node[] = [];
  const copies = new Map<Node, Node>();
  placeholders.forEach((node, i) => {
    copies.set(node, argument(node, i));
  });
  const isOutside = ({ id, box, op }: Node) => id < start || box !== undefined || op === "scalar";
  const copied = copyGraph(results, copies, (node) => {
    const { op } = node;
    if (op === "philox") {
      throw argumentError`scan: a step must not draw random numbers, which all repetitions would share. Pass them as elements.`;
    }
    if (op === "constant" || !isOutside(node)) return undefined;
    return argument(node, placeholders.length + captured.push(node) - 1);
  });
  return { results: copied, captured };
}

/** The body that has this structure: the same one each time it is recorded. */
function intern(results: readonly Node[]): Body {
  const walk = new Walk({ outputs: results, states: [] }, 0);
  const hash = walk.hash;
  for (const body of bodies.values()) {
    if (body.hash === hash && walk.matches(body.signature)) return body;
  }
  const body = {
    id: created++,
    results,
    hash,
    signature: walk.signature(),
    assemblies: new Map<string, Assembly>(),
  };
  bodies.set(body.id, body);
  if (bodies.size > capacity) bodies.delete(bodies.keys().next().value!);
  return body;
}
