import { ArgumentError } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool2d,
  BasicBlock,
  BatchNorm1d,
  BatchNorm2d,
  CNN,
  Conv2d,
  GroupNorm,
  MaxPool2d,
  ResNet,
} from "../src/index.ts";

test("sizes that are none are refused where the layer is made", () => {
  const of = (value: unknown) => value as never;
  expect(() => new Conv2d(1, 2, of(undefined))).toThrow(
    "Conv2d: kernelSize must be an integer or 2",
  );
  expect(() => new Conv2d(1, 2, 3, { padding: of("full") })).toThrow("Conv2d: padding must be");
  expect(() => new MaxPool2d(of(undefined))).toThrow("MaxPool2d: kernelSize must be an integer");
  for (const Pool of [AdaptiveAvgPool2d, AdaptiveMaxPool2d]) {
    for (const wrong of [undefined, null, "a", 0, [1], [1, 2.5]]) {
      expect(() => new Pool(of(wrong))).toThrow(ArgumentError);
      expect(() => new Pool(of(wrong))).toThrow(`${Pool.name}: outputSize must be`);
    }
    expect(new Pool([null, 2]).outputSize).toEqual([null, 2]);
  }
});

test("norms whose numbers are none, and models of parts that there are not", () => {
  for (const Norm of [BatchNorm1d, BatchNorm2d]) {
    for (const wrong of [-1, Number.NaN, "a"] as never[]) {
      const rule = `must be a finite number of at least 0, got ${wrong}.`;
      expect(() => new Norm(2, { eps: wrong })).toThrow(`${Norm.name}: eps ${rule}`);
      expect(() => new Norm(2, { momentum: wrong })).toThrow(`${Norm.name}: momentum ${rule}`);
      expect(() => new GroupNorm(1, 2, { eps: wrong })).toThrow(`GroupNorm: eps ${rule}`);
    }
    expect(new Norm(2, { momentum: null }).momentum).toBeNull();
  }
  const wrong = (value: unknown) => value as never;
  expect(() => new BasicBlock(1, 1, wrong({ strides: 2 }))).toThrow(
    "BasicBlock: options must be among stride, got strides.",
  );
  for (const [channels, shown] of [
    [[], "[]"],
    [3, "3"],
    [null, "null"],
  ]) {
    expect(() => new CNN({ inChannels: 1, numClasses: 2, channels: wrong(channels) })).toThrow(
      `CNN: channels must list at least one convolution's, got ${shown}.`,
    );
  }
  expect(() => new ResNet({ numClasses: 2, stem: wrong("tiny") })).toThrow(
    'ResNet: stem must be "large" or "small", got tiny.',
  );
  expect(() => new ResNet({ numClasses: 2, blocks: wrong(null) })).toThrow(
    "ResNet: blocks must be those of four stages, got null.",
  );
});
