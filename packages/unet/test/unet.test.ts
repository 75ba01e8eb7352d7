import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { ArgumentError, manualSeed, randn, ShapeError, tensor, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { UNet, Up } from "../src/index.ts";

describe("UNet", () => {
  test("learns to tell the inside of rings from their outside, where every pixel looks the same", {
    timeout: 60_000,
  }, () => {
    manualSeed(1);
    const size = 16;
    const coordinate = (offset: number) =>
      Array.from({ length: size }, (_, i) => (i - offset) ** 2);
    const pictures: number[][][] = [];
    const labels: number[][][] = [];
    for (let n = 0; n < 12; n++) {
      const [y, x] = [coordinate(5 + (n % 6)), coordinate(5 + ((n * 5) % 6))];
      const distance = y.map((a) => x.map((b) => Math.sqrt(a + b)));
      pictures.push(distance.map((row) => row.map((d) => (Math.abs(d - 4) < 0.8 ? 1 : 0))));
      labels.push(distance.map((row) => row.map((d) => (d < 4 ? 1 : 0))));
    }
    const x = tensor(pictures)
      .unsqueeze(1)
      .add(randn([12, 1, size, size]).mul(0.1))
      .detach();
    const y = tensor(labels, { dtype: "int32" });
    const model = new UNet({ inChannels: 1, numClasses: 2, baseChannels: 4, depth: 2 });
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    const [train, held] = [
      [0, 8],
      [8, 12],
    ].map(([from, to]) => ({ x: x.slice(0, from, to), y: y.slice(0, from, to) }));
    for (let step = 0; step < 60; step++) {
      optimizer.zeroGrad();
      crossEntropyLoss(model.forward(train.x), train.y).backward();
      optimizer.step();
    }
    model.eval();
    const right = model.forward(held.x).argmax(1).eq(held.y).to("float32").mean().itemSync();
    expect(right).toBeGreaterThan(0.93);
  });

  test.each([false, true])(
    "takes any size and depth, bilinear %s",
    { timeout: 60_000 },
    (bilinear) => {
      for (const depth of [1, 2, 3]) {
        const model = new UNet({ inChannels: 2, numClasses: 3, baseChannels: 4, depth, bilinear });
        expect(model.forward(zeros([1, 2, 13, 22])).shape).toEqual([1, 3, 13, 22]);
      }
    },
  );

  test("has as many parameters as the well-known one, under its keys", () => {
    const model = new UNet({ inChannels: 3, numClasses: 2 });
    expect(model.numParameters).toBe(31_037_698);
    expect(Object.keys(model.stateDict())).toContain("down1.maxpool_conv.1.double_conv.0.weight");
    expect(Object.keys(model.stateDict()).at(-1)).toBe("outc.conv.bias");
  });

  test("says which pictures it takes", () => {
    const model = new UNet({ inChannels: 1, numClasses: 2, baseChannels: 2, depth: 3 });
    expect(() => model.forward(zeros([1, 1, 7, 16]))).toThrow(ShapeError);
    expect(() => model.forward(zeros([1, 3, 16, 16]))).toThrow(
      "UNet: x must be [batch, 1, height, width] of at least 8 × 8",
    );
    expect(() => new UNet({ inChannels: 1, numClasses: 2, depth: 0 })).toThrow(ArgumentError);
    expect(() => Reflect.construct(Up, [2, 2, { mode: "bilinear" }])).toThrow(
      "Up: options must be among bilinear, got mode.",
    );
  });
});
