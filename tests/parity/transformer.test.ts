import type { Module } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import * as transformer from "@gradloom/transformer";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore, type StoredTensor } from "./fixture.ts";
import { build, compareNetwork, type NetworkCase } from "./network.ts";

interface TransformerCase extends NetworkCase {
  /** What does not change with the case's numbers, of the options of `forward`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly StoredTensor[];
  /** Further options of `forward`; for a whole model also the ids. */
  readonly masks: Readonly<Record<string, StoredTensor>>;
  readonly outputs: readonly StoredTensor[];
  readonly grads: readonly StoredTensor[];
}

type Network = Module & { forward(...inputs: unknown[]): Tensor | readonly Tensor[] };

function run(network: Network, c: TransformerCase, inputs: readonly Tensor[]): readonly Tensor[] {
  const masks = Object.entries(c.masks).map(([key, stored]) => [key, restore(stored)]);
  const { src, tgt, ...rest } = Object.fromEntries(masks) as Record<string, Tensor>;
  const given = src === undefined ? [...inputs] : [src, tgt];
  // As one calls it: self-attention is given one tensor three times.
  while (c.op === "MultiHeadAttention" && given.length < 3) given.push(given[given.length - 1]);
  const result = network.forward(...given, { ...rest, ...c.options });
  return Array.isArray(result) ? result : [result as Tensor];
}

describe("transformers", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("transformers")));
  test.each(readFixtures<TransformerCase>("transformer"))("$op $args $options $note", (c) => {
    const network = build<Network>(transformer, c);
    expect(Object.keys(network.stateDict())).toEqual(Object.keys(c.state));
    const inputs = c.inputs.map(restore);
    const outputs = run(network, c, inputs);
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
