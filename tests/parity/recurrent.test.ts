import type { Module } from "@gradloom/layers";
import * as recurrent from "@gradloom/rnn-lstm";
import { Tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, fill, readFixtures, restore, type StoredTensor } from "./fixture.ts";

interface RecurrentCase extends Case {
  /** The arguments of the constructor. */
  readonly args: readonly unknown[];
  readonly options: { readonly lengths?: readonly number[] };
  readonly state: Readonly<Record<string, StoredTensor>>;
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
  readonly grads: readonly StoredTensor[];
  readonly stateGrads: Readonly<Record<string, StoredTensor>>;
}

type Network = Module & { forward(x: Tensor, state?: unknown, options?: object): unknown };

function build(c: RecurrentCase): Network {
  const found: unknown = Reflect.get(recurrent, c.op);
  if (typeof found !== "function") throw new Error(`@gradloom/rnn-lstm has no ${c.op}.`);
  const network: Network = Reflect.construct(found, c.args);
  const state = Object.entries(c.state).map(([key, stored]) => [key, restore(stored)]);
  network.loadStateDict(Object.fromEntries(state));
  return network;
}

function flat(result: unknown): Tensor[] {
  return result instanceof Tensor ? [result] : (result as unknown[]).flatMap(flat);
}

describe("recurrent networks", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("recurrent networks")));
  test.each(readFixtures<RecurrentCase>("recurrent"))("$op $args $options $note", (c) => {
    const network = build(c);
    expect(Object.keys(network.stateDict())).toEqual(Object.keys(c.state));
    const inputs = c.inputs.map(restore);
    const [x, ...state] = inputs;
    const given = state.length === 2 ? state : state[0];
    const outputs = flat(network.forward(x, given, c.options));
    expect(outputs).toHaveLength(c.outputs.length);
    outputs
      .map((output, i) => output.mul(fill(c.outputs[i], c.outputs[i].upstream!)).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    outputs.forEach((output, i) => {
      comparison.check(c.op, "values", output.detach(), c.outputs[i], `output ${i}`);
    });
    inputs.forEach((input, i) => {
      comparison.check(c.op, "gradients", input.grad!, c.grads[i], `gradient of input ${i}`);
    });
    const parameters = new Map(network.namedParameters());
    for (const [key, stored] of Object.entries(c.stateGrads)) {
      comparison.check(c.op, "gradients", parameters.get(key)!.grad!, stored, `gradient of ${key}`);
    }
  });
});
