import { Sequential } from "@gradloom/layers";
import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import {
  ArgumentError,
  compile,
  manualSeed,
  memoryStats,
  noGrad,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import {
  AdaptiveAvgPool2d,
  BasicBlock,
  BatchNorm1d,
  BatchNorm2d,
  CNN,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  Dropout2d,
  GroupNorm,
  MaxPool2d,
  ResNet,
  receptiveField,
} from "../src/index.ts";

/** Pictures of 12 × 12 with a bar, upright or lying, somewhere in noise; and which. */
function bars(count: number) {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const place = Array.from(labels, (_, i) => (i * 7) % 12);
  const rows = tensor(place, { dtype: "int32" }).reshape([count, 1, 1, 1]);
  const position = tensor(
    Array.from({ length: 12 }, (_, i) => i),
    { dtype: "int32" },
  );
  const lying = position.reshape([12, 1]).eq(rows).expand([count, 1, 12, 12]);
  const upright = position.eq(rows).expand([count, 1, 12, 12]);
  const which = tensor(Array.from(labels), { dtype: "int32" });
  const isUpright = which.eq(1).reshape([count, 1, 1, 1]);
  const x = isUpright
    .where(upright.to("float32"), lying.to("float32"))
    .add(randn([count, 1, 12, 12]).mul(0.4));
  return { x: noGrad(() => x), y: which };
}

describe("CNN", () => {
  test("learns to tell upright from lying bars in noise", () => {
    manualSeed(1);
    const { x, y } = bars(64);
    const held = bars(100);
    const model = new CNN({
      inChannels: 1,
      numClasses: 2,
      channels: [8, 16],
      hidden: 16,
      dropout: 0.1,
    });
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    let compiled = 0;
    for (let step = 0; step < 40; step++) {
      optimizer.zeroGrad();
      crossEntropyLoss(model.forward(x), y).backward();
      optimizer.step();
      if (step === 1) compiled = memoryStats().compiledKernels;
    }
    expect(memoryStats().compiledKernels).toBe(compiled);
    model.eval();
    const right = model.forward(held.x).argmax(1).eq(held.y).to("float32").mean().itemSync();
    expect(right).toBeGreaterThan(0.95);
  });

  test("gives logits for pictures of any size", () => {
    const model = new CNN({ inChannels: 3, numClasses: 5, channels: [4, 8, 8], poolSize: 2 });
    expect(model.forward(zeros([2, 3, 17, 31])).shape).toEqual([2, 5]);
    expect(() => new CNN({ inChannels: 1, numClasses: 2, channels: [] })).toThrow(ArgumentError);
    expect(() => model.forward(zeros([2, 1, 16, 16]))).toThrow(ShapeError);
  });

  test("ResNet has as many parameters as torchvision's", () => {
    expect(new ResNet({ numClasses: 1000 }).numParameters).toBe(11_689_512);
  });
});

describe("layers", () => {
  test("batch norm uses running statistics in evaluation only", () => {
    manualSeed(2);
    const norm = new BatchNorm2d(3);
    const x = randn([4, 3, 5, 5]).mul(3).add(2);
    const y = norm.forward(x);
    expect(y.mean([0, 2, 3]).abs().max().itemSync()).toBeLessThan(1e-5);
    expect(norm.numBatchesTracked?.itemSync()).toBe(1);
    const mean = norm.runningMean?.arraySync();
    norm.eval().forward(x).dataSync();
    expect(norm.runningMean?.arraySync()).toEqual(mean);
  });

  test("statistics over all batches keep the precision of the module", () => {
    const norm = new BatchNorm1d(1, { momentum: null }).to("float64");
    for (const value of [1, 2, 4]) {
      norm.forward(tensor([[value], [value + 2]], { dtype: "float64" })).dataSync();
    }
    expect(norm.runningMean?.itemSync()).toBeCloseTo((2 + 3 + 5) / 3, 14);
    expect(norm.runningVar?.itemSync()).toBeCloseTo(2, 14);
  });

  test("statistics over all batches are the same in a compiled function", () => {
    const [eager, compiled] = [1, 2].map(() => new BatchNorm1d(1, { momentum: null }));
    const step = compile((x: Tensor) => compiled.forward(x));
    for (const value of [1, 2, 4]) {
      const x = tensor([[value], [value + 2]]);
      eager.forward(x).dataSync();
      step(x).dataSync();
    }
    expect(compiled.runningMean?.itemSync()).toBeCloseTo(10 / 3, 5);
    expect(compiled.runningMean?.arraySync()).toEqual(eager.runningMean?.arraySync());
    expect(compiled.runningVar?.arraySync()).toEqual(eager.runningVar?.arraySync());
  });

  test("Dropout2d drops whole channels and rescales the others", () => {
    manualSeed(3);
    const y = new Dropout2d(0.5).forward(zeros([8, 16, 3, 3]).add(1));
    const values = new Set(y.amax([2, 3]).dataSync());
    expect([...values].sort()).toEqual([0, 2]);
    expect(
      y
        .amax([2, 3])
        .sub(y.amin([2, 3]))
        .abs()
        .max()
        .itemSync(),
    ).toBe(0);
  });

  test("say what they were given and what they need", () => {
    expect(() => new Conv2d(3, 4, 0)).toThrow("Conv2d: kernelSize must be");
    expect(() => new Conv2d(3, 4, [3, 3, 3])).toThrow("an integer or 2 of them");
    expect(() => new Conv2d(3, 4, 3, { groups: 2 })).toThrow(
      "groups must divide inChannels, got 2 for 3",
    );
    expect(() => new GroupNorm(2, 3)).toThrow(ArgumentError);
    expect(() => new BatchNorm2d(3).forward(zeros([2, 3]))).toThrow(
      "BatchNorm2d: x must be [batch, 3, height, width]",
    );
    expect(String(new Conv2d(3, 4, 3, { stride: 2, bias: false }))).toBe(
      "Conv2d(3, 4, kernelSize=3, stride=2, bias=false)",
    );
    expect(new ConvTranspose2d(3, 4, 2, { stride: 2 }).forward(zeros([1, 3, 5, 5])).shape).toEqual([
      1, 4, 10, 10,
    ]);
  });
});

describe("receptiveField", () => {
  test("adds up windows, strides and padding", () => {
    const model = new CNN({ inChannels: 1, numClasses: 2, channels: [2, 2] });
    const layers = [...model.features];
    expect(receptiveField(layers[0])).toEqual({ size: [3, 3], stride: [1, 1], padding: [1, 1] });
    // Up to the second convolution: 3, a pool of 2, then 3 that are 2 apart.
    expect(receptiveField(new Sequential(...layers.slice(0, 5)))).toEqual({
      size: [8, 8],
      stride: [2, 2],
      padding: [3, 3],
    });
    expect(receptiveField(model.features).size).toEqual([Infinity, Infinity]);
    expect(receptiveField(new BasicBlock(2, 2, { stride: 2 }))).toEqual({
      size: [7, 7],
      stride: [2, 2],
      padding: [3, 3],
    });
    expect(receptiveField(new Conv1d(1, 1, 5, { dilation: 2, padding: "same" }))).toEqual({
      size: [9],
      stride: [1],
      padding: [4],
    });
    expect(() => receptiveField(new Dropout2d())).toThrow(ArgumentError);
    expect(() => receptiveField(new AdaptiveAvgPool2d(1))).toThrow("convolution or a pool");
    expect(receptiveField(new MaxPool2d(3, { stride: 2 })).stride).toEqual([2, 2]);
  });

  test("is what the gradient of one output pixel reaches", () => {
    manualSeed(4);
    const block = new BasicBlock(1, 1);
    block.eval();
    const x = randn([1, 1, 21, 21]).abs().requiresGrad_();
    block.conv2.forward(block.conv1.forward(x)).slice(2, 10, 11).slice(3, 10, 11).sum().backward();
    const seen = x.grad!.ne(0).to("int32").sum().itemSync();
    const { size } = receptiveField(block);
    expect(seen).toBe(size[0] * size[1]);
  });
});
