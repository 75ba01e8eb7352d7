import type { Module } from "@gradloom/layers";
import * as recurrent from "@gradloom/rnn-lstm";
import { Tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore, type StoredTensor } from "./fixture.ts";
import { build, compareNetwork, type NetworkCase } from "./network.ts";

interface RecurrentCase extends NetworkCase {
  readonly options: { readonly lengths?: readonly number[] };
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
  readonly grads: readonly StoredTensor[];
}

type Network = Module & { forward(x: Tensor, state?: unknown, options?: object): unknown };

function flat(result: unknown): Tensor[] {
  return result instanceof Tensor ? [result] : (result as unknown[]).flatMap(flat);
}

describe("recurrent networks", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("recurrent networks")));
  test.each(readFixtures<RecurrentCase>("recurrent"))("$op $args $options $note", (c) => {
    const network = build<Network>(recurrent, c);
    expect(Object.keys(network.stateDict())).toEqual(Object.keys(c.state));
    const inputs = c.inputs.map(restore);
    const [x, ...state] = inputs;
    const given = state.length === 2 ? state : state[0];
    const outputs = flat(network.forward(x, given, c.options));
    expect(outputs).toHaveLength(c.outputs.length);
    compareNetwork(
      comparison,
      c,
      network,
      outputs.map((output, i) => [output, c.outputs[i]]),
      inputs.map((input, i) => [input, c.grads[i]]),
    );
  });
});
