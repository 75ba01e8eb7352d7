import type { Module } from "@gradloom/layers";
import * as layers from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, fill, readFixtures, restore, type StoredTensor } from "./fixture.ts";

interface ModuleCase extends Case {
  /** The arguments of the constructor. */
  readonly args: readonly unknown[];
  readonly training: boolean;
  readonly state: Readonly<Record<string, StoredTensor>>;
  readonly inputs: readonly StoredTensor[];
  readonly output: StoredTensor;
  readonly grads: readonly StoredTensor[];
  readonly stateGrads: Readonly<Record<string, StoredTensor>>;
}

type Layer = Module & { forward(...inputs: Tensor[]): Tensor };

function build(c: ModuleCase): Layer {
  const found: unknown = Reflect.get(layers, c.op);
  if (typeof found !== "function") throw new Error(`@gradloom/layers has no ${c.op}.`);
  const layer: Layer = Reflect.construct(found, c.args);
  const state = Object.entries(c.state).map(([key, stored]) => [key, restore(stored)]);
  layer.loadStateDict(Object.fromEntries(state));
  return c.training ? layer.train() : layer.eval();
}

describe("layers", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("layers")));
  test.each(readFixtures<ModuleCase>("modules"))("$op $args $note", (c) => {
    const layer = build(c);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(c.state).sort());
    const inputs = c.inputs.map(restore);
    const output = layer.forward(...inputs);
    output.mul(fill(c.output, c.output.upstream!)).sum().backward();
    comparison.check(c.op, "values", output.detach(), c.output, "output");
    const wanted = inputs.filter((_, i) => c.inputs[i].grad === true);
    wanted.forEach((input, i) => {
      comparison.check(c.op, "gradients", input.grad!, c.grads[i], `gradient of input ${i}`);
    });
    const parameters = new Map(layer.namedParameters());
    for (const [key, stored] of Object.entries(c.stateGrads)) {
      comparison.check(c.op, "gradients", parameters.get(key)!.grad!, stored, `gradient of ${key}`);
    }
  });
});
