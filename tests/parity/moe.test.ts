import { GPT } from "@gradloom/gpt";
import type { Module } from "@gradloom/layers";
import { auxLossOf, MoE, type MoEOptions, type Routing } from "@gradloom/moe";
import type { Tensor } from "@gradloom/tensor";
import { DecoderLayer, EncoderLayer } from "@gradloom/transformer";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore, type StoredTensor } from "./fixture.ts";
import { build, compareNetwork, type NetworkCase } from "./network.ts";

interface MoECase extends NetworkCase {
  readonly input: StoredTensor;
  /** The result, and `auxLoss`. */
  readonly outputs: readonly StoredTensor[];
  readonly routing: Readonly<Record<keyof Routing, StoredTensor>>;
  readonly grad: StoredTensor;
}

interface ModelCase extends NetworkCase {
  /** The feed-forward's options, but for its size. */
  readonly moe: Omit<MoEOptions, "inputDim">;
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
  readonly grads: readonly (StoredTensor | null)[];
}

type Network = Module & { forward(...inputs: Tensor[]): Tensor };

describe("mixtures of experts", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("mixtures of experts")));

  test.each(readFixtures<MoECase>("moe"))("$note", (c) => {
    const moe = build<MoE>({ MoE }, c);
    const x = restore(c.input);
    const y = moe.forward(x);
    const outputs = [y, moe.auxLoss].map((output, i) => [output, c.outputs[i]] as const);
    compareNetwork(comparison, c, moe, outputs, [[x, c.grad]]);
    expect(Object.keys(c.stateGrads)).toEqual(Object.keys(moe.stateDict()));

    const routing = moe.lastRouting!;
    expect(Object.keys(routing)).toEqual(Object.keys(c.routing));
    for (const [key, stored] of Object.entries(c.routing)) {
      comparison.check(c.op, "values", routing[key as keyof Routing], stored, key);
    }
  });

  test.each(readFixtures<ModelCase>("moe-models"))("$note", (c) => {
    const feedForward = (dModel: number) => new MoE({ ...c.moe, inputDim: dModel });
    const args = [...c.args.slice(0, -1), { ...(c.args.at(-1) as object), feedForward }];
    const network = build<Network>({ GPT, EncoderLayer, DecoderLayer }, { ...c, args });
    const inputs = c.inputs.map(restore);
    const y = network.forward(...inputs);
    const outputs = [y, auxLossOf(network)].map((output, i) => [output, c.outputs[i]] as const);
    const gradients = inputs.flatMap((input, i) => {
      const stored = c.grads[i];
      return stored === null ? [] : [[input, stored] as const];
    });
    compareNetwork(comparison, c, network, outputs, gradients);
    expect(Object.keys(c.stateGrads).sort()).toEqual(Object.keys(network.stateDict()).sort());
  });
});
