import type { Module } from "@gradloom/layers";
import { type Tensor, tensor } from "@gradloom/tensor";
import * as transformer from "@gradloom/transformer";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, fill, readFixtures, restore, type StoredTensor } from "./fixture.ts";

interface TransformerCase extends Case {
  /** The arguments of the constructor. */
  readonly args: readonly unknown[];
  /** What does not change with the case's numbers, of the options of `forward`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, StoredTensor>>;
  readonly inputs: readonly StoredTensor[];
  /** Further options of `forward`; for a whole model also the ids. */
  readonly masks: Readonly<Record<string, StoredTensor>>;
  readonly outputs: readonly StoredTensor[];
  readonly grads: readonly StoredTensor[];
  readonly stateGrads: Readonly<Record<string, StoredTensor>>;
}

type Network = Module & { forward(...inputs: unknown[]): Tensor | readonly Tensor[] };

function build(c: TransformerCase): Network {
  const found: unknown = Reflect.get(transformer, c.op);
  if (typeof found !== "function") throw new Error(`@gradloom/transformer has no ${c.op}.`);
  const network: Network = Reflect.construct(found, c.args);
  const state = Object.entries(c.state).map(([key, stored]) => [key, restore(stored)]);
  network.loadStateDict(Object.fromEntries(state));
  return network;
}

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
    const network = build(c);
    expect(Object.keys(network.stateDict())).toEqual(Object.keys(c.state));
    const inputs = c.inputs.map(restore);
    const outputs = run(network, c, inputs);
    expect(outputs).toHaveLength(c.outputs.length);
    outputs
      .map((output, i) => output.mul(fill(c.outputs[i], c.outputs[i].upstream!)).sum())
      .reduce((a, b) => a.add(b), tensor(0))
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
