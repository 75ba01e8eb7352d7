import type { Module } from "@gradloom/layers";
import * as layers from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore, type StoredTensor } from "./fixture.ts";
import { build, compareNetwork, type NetworkCase } from "./network.ts";

interface ModuleCase extends NetworkCase {
  readonly training: boolean;
  readonly inputs: readonly StoredTensor[];
  readonly output: StoredTensor;
  readonly grads: readonly StoredTensor[];
}

type Layer = Module & { forward(...inputs: Tensor[]): Tensor };

describe("layers", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("layers")));
  test.each(readFixtures<ModuleCase>("modules"))("$op $args $note", (c) => {
    const layer = build<Layer>(layers, c).train(c.training);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(c.state).sort());
    const inputs = c.inputs.map(restore);
    const output = layer.forward(...inputs);
    const wanted = inputs.filter((_, i) => c.inputs[i].grad === true);
    compareNetwork(
      comparison,
      c,
      layer,
      [[output, c.output]],
      wanted.map((input, i) => [input, c.grads[i]]),
    );
  });
});
