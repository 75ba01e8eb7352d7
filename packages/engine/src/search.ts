import type { Node } from "./node.ts";
import type { Goal } from "./walk.ts";

let searches = 0;

/** The nodes in these lists that are to be computed, each once, apart from those that states become. */
export function distinct(lists: readonly (readonly Node[])[], states: Goal["states"]): Node[] {
  searches -= 1;
  for (const { value } of states) value.mark = searches;
  const found: Node[] = [];
  for (const list of lists) {
    for (const node of list) {
      if (node.box !== undefined || node.mark === searches) continue;
      node.mark = searches;
      found.push(node);
    }
  }
  return found;
}

/** Whether a node depends on a state that is changing. */
export function reaches(root: Node): boolean {
  searches -= 1;
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.box?.isChanging) return true;
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
