import * as cnn from "@gradloom/cnn";
import type { Layer } from "@gradloom/layers";
import * as unet from "@gradloom/unet";
import { afterAll, describe, expect, test } from "vitest";
import { Comparison } from "./compare.ts";
import { readFixtures, restore, type StoredTensor } from "./fixture.ts";
import { build, compareNetwork, type NetworkCase } from "./network.ts";

interface ConvolutionalCase extends NetworkCase {
  readonly training: boolean;
  readonly input: StoredTensor;
  readonly output: StoredTensor;
  readonly grad: StoredTensor;
  /** Running statistics afterwards. */
  readonly buffers: Readonly<Record<string, StoredTensor>>;
}

describe("convolutional layers and networks", () => {
  // Deep networks with batch norm: errors of many layers add up, and small variances magnify them.
  const deep = { relative: 2e-4, absolute: 2e-5 };
  const comparison = new Comparison({ CNN: deep, UNet: deep, ResNet: deep, BasicBlock: deep });
  afterAll(() => console.log(comparison.table("convolutional")));
  test.each(readFixtures<ConvolutionalCase>("convolutional"))("$op $args $note", (c) => {
    const layer = build<Layer>({ ...cnn, ...unet }, c).train(c.training);
    expect(Object.keys(layer.stateDict())).toEqual(Object.keys(c.state));
    const input = restore(c.input);
    const output = layer.forward(input);
    compareNetwork(comparison, c, layer, [[output, c.output]], [[input, c.grad]]);
    const buffers = new Map(layer.namedBuffers());
    for (const [key, stored] of Object.entries(c.buffers)) {
      comparison.check(c.op, "values", buffers.get(key)!.detach(), stored, key);
    }
  });
});
