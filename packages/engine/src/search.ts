import type { Box } from "./box.ts";
import { Node } from "./node.ts";
import type { Goal } from "./walk.ts";

let searches = 0;

/** What can be reached from these by `next`, each once, as it is found. */
export function* reached<T>(roots: Iterable<T>, next: (item: T) => Iterable<T>): Generator<T> {
  // Iteration comes to what is added meanwhile.
  const found = new Set(roots);
  for (const item of found) {
    yield item;
    for (const other of next(item)) found.add(other);
  }
}

/**
 * Copies of nodes and of what they are made of, kept in `copies`; what is in there, or what `replace` puts in a node's
 * place, is not copied.
 */
export function copyGraph(
  roots: readonly Node[],
  copies: Map<Node, Node>,
  replace: (node: Node) => Node | undefined,
): Node[] {
  const pending = [...roots].reverse();
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (copies.has(node)) continue;
    const { op, attributes, shape, dtype, inputs } = node;
    const missing = inputs.filter((input) => !copies.has(input));
    const other = replace(node);
    if (other) copies.set(node, other);
    else if (missing.length > 0) pending.push(node, ...missing.reverse());
    else {
      const copied = inputs.map((input) => copies.get(input)!);
      copies.set(node, new Node(op, copied, attributes, shape, dtype));
    }
  }
  return roots.map((node) => copies.get(node)!);
}

/** The nodes in these lists that are to be computed, each once, apart from those that get a state's box. */
export function distinct(lists: readonly (readonly Node[])[], states: Goal["states"]): Node[] {
  searches -= 1;
  for (const { value } of states) if (value.dependsOnState) value.mark = searches;
  const found: Node[] = [];
  for (const list of lists) {
    for (const node of list) {
      if (node.box || node.mark === searches) continue;
      node.mark = searches;
      found.push(node);
    }
  }
  return found;
}

/** Whether a node depends on a value of which something is true. */
export function reaches(root: Node, isTrue: (box: Box, leaf: Node) => boolean): boolean {
  searches -= 1;
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.box && isTrue(node.box, node)) return true;
    const { inputs } = node;
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i].dependsOnState && inputs[i].mark !== searches) {
        inputs[i].mark = searches;
        stack.push(inputs[i]);
      }
    }
  }
  return false;
}

/** Operations that were in a profiled plan before. */
export function countRepeated(nodes: readonly Node[]): number {
  let count = 0;
  for (const node of nodes) {
    if (node.inputs.length === 0) continue;
    if (node.isComputed) count += 1;
    node.isComputed = true;
  }
  return count;
}
