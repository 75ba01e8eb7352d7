import { Tensor } from "../tensor.ts";

/** Arguments or results in which each tensor has another in its place; lists and objects keep their form. */
export type TensorsOf<T> = T extends Tensor
  ? Tensor
  : T extends object
    ? { [K in keyof T]: TensorsOf<T[K]> }
    : T;

/** The tensors in lists and plain objects, at any depth, in order. */
export function leavesOf(tree: unknown): Tensor[] {
  const leaves: Tensor[] = [];
  mapTensors(tree, (leaf) => leaves.push(leaf));
  return leaves;
}

/** The same lists and objects with something else in place of each tensor. All else stays. */
export function mapTensors(tree: unknown, fn: (leaf: Tensor) => unknown): unknown {
  if (tree instanceof Tensor) return fn(tree);
  if (Array.isArray(tree)) return tree.map((item) => mapTensors(item, fn));
  if (!isPlain(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTensors(item, fn)]));
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** {@link mapTensors} with replacements in order. */
export function replaceTensors(tree: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  return mapTensors(tree, () => leaves[next++]);
}
