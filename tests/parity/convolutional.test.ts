import * as cnn from "@gradloom/cnn";
import type { Layer } from "@gradloom/layers";
import * as unet from "@gradloom/unet";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, fill, readFixtures, restore, type StoredTensor } from "./fixture.ts";

interface NetworkCase extends Case {
  /** The arguments of the constructor. */
  readonly args: readonly unknown[];
  readonly training: boolean;
  readonly state: Readonly<Record<string, StoredTensor>>;
  readonly input: StoredTensor;
  readonly output: StoredTensor;
  readonly grad: StoredTensor;
  readonly stateGrads: Readonly<Record<string, StoredTensor>>;
  /** Running statistics afterwards. */
  readonly buffers: Readonly<Record<string, StoredTensor>>;
}

function build(c: NetworkCase): Layer {
  const found: unknown = Reflect.get({ ...cnn, ...unet }, c.op);
  if (typeof found !== "function") throw new Error(`There is no ${c.op}.`);
  const layer: Layer = Reflect.construct(found, c.args);
  const state = Object.entries(c.state).map(([key, stored]) => [key, restore(stored)]);
  layer.loadStateDict(Object.fromEntries(state));
  return c.training ? layer.train() : layer.eval();
}

describe("convolutional layers and networks", () => {
  // Deep networks with batch norm: errors of many layers add up, and small variances magnify them.
  const deep = { relative: 2e-4, absolute: 2e-5 };
  const comparison = new Comparison({ CNN: deep, UNet: deep, ResNet: deep, BasicBlock: deep });
  afterAll(() => console.log(comparison.table("convolutional")));
  test.each(readFixtures<NetworkCase>("convolutional"))("$op $args $note", (c) => {
    const layer = build(c);
    expect(Object.keys(layer.stateDict())).toEqual(Object.keys(c.state));
    const input = restore(c.input);
    const output = layer.forward(input);
    output.mul(fill(c.output, c.output.upstream!)).sum().backward();
    comparison.check(c.op, "values", output.detach(), c.output, "output");
    comparison.check(c.op, "gradients", input.grad!, c.grad, "gradient of the input");
    const parameters = new Map(layer.namedParameters());
    for (const [key, stored] of Object.entries(c.stateGrads)) {
      comparison.check(c.op, "gradients", parameters.get(key)!.grad!, stored, `gradient of ${key}`);
    }
    const buffers = new Map(layer.namedBuffers());
    for (const [key, stored] of Object.entries(c.buffers)) {
      comparison.check(c.op, "values", buffers.get(key)!.detach(), stored, key);
    }
  });
});
