import type { Module } from "@gradloom/layers";
import { type Tensor, tensor } from "@gradloom/tensor";
import type { Comparison } from "./compare.ts";
import { type Case, fill, restore, type StoredTensor } from "./fixture.ts";

/** What every case of a layer or a model has. */
export interface NetworkCase extends Case {
  /** The arguments of the constructor. */
  readonly args: readonly unknown[];
  readonly state: Readonly<Record<string, StoredTensor>>;
  readonly stateGrads: Readonly<Record<string, StoredTensor>>;
}

/** The case's layer or model, of those that some packages export, with the case's weights. */
export function build<N extends Module>(packages: object, { op, args, state }: NetworkCase): N {
  const found: unknown = Reflect.get(packages, op);
  if (typeof found !== "function") throw new Error(`There is no ${op}.`);
  const network: N = Reflect.construct(found, args);
  const weights = Object.entries(state).map(([key, stored]) => [key, restore(stored)]);
  network.loadStateDict(Object.fromEntries(weights));
  return network;
}

/** Compares outputs, and after the backward pass the gradients of inputs and of all parameters. */
export function compareNetwork(
  comparison: Comparison,
  { op, stateGrads }: NetworkCase,
  network: Module,
  outputs: readonly (readonly [Tensor, StoredTensor])[],
  inputs: readonly (readonly [Tensor, StoredTensor])[],
): void {
  outputs
    .map(([output, stored]) => output.mul(fill(stored, stored.upstream!)).sum())
    .reduce((a, b) => a.add(b), tensor(0))
    .backward();
  outputs.forEach(([output, stored], i) => {
    comparison.check(op, "values", output.detach(), stored, `output ${i}`);
  });
  inputs.forEach(([input, stored], i) => {
    comparison.check(op, "gradients", input.grad!, stored, `gradient of input ${i}`);
  });
  const parameters = new Map(network.namedParameters());
  for (const [key, stored] of Object.entries(stateGrads)) {
    comparison.check(op, "gradients", parameters.get(key)!.grad!, stored, `gradient of ${key}`);
  }
}
