// A U-Net learns to label pixels where colour tells nothing.
import { Conv2d } from "@gradloom/cnn";
import { type Module, ReLU, Sequential } from "@gradloom/layers";
import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { fromTypedArray, Generator, manualSeed, noGrad, rand, type Tensor } from "@gradloom/tensor";
import { UNet } from "@gradloom/unet";
import { beforeEach, expect, test } from "vitest";

beforeEach(() => {
  manualSeed(1);
});

const side = 24;
const pixels = side * side;

/** Grey pictures with a disc (1) and a ring (2), both as bright as each other, on noise that is as bright as they are in places. */
function drawPictures(count: number, generator: Generator): { x: Tensor; y: Tensor } {
  const places = rand([count, 4], { generator }).dataSync();
  const noise = rand([count * pixels], { generator }).dataSync();
  const x = new Float32Array(count * pixels);
  const y = new Int32Array(count * pixels);
  for (let i = 0; i < count * pixels; i++) {
    const picture = Math.floor(i / pixels);
    const [row, column] = [Math.floor((i % pixels) / side), i % side];
    for (const label of [1, 2]) {
      // The disc is in the left or right half, the ring in the other one.
      const isRight = Number(places[4 * picture]) < 0.5 === (label === 1);
      const centre = [6 + 12 * Number(places[4 * picture + label]), isRight ? 17 : 6];
      const distance = Math.hypot(row - centre[0], column - centre[1]);
      if (distance <= 5 && (label === 1 || distance >= 2.5)) y[i] = label;
    }
    x[i] = (y[i] > 0 ? 0.5 : 0) + 0.6 * Number(noise[i]);
  }
  return {
    x: fromTypedArray(x, [count, 1, side, side]),
    y: fromTypedArray(y, [count, side, side]),
  };
}

type Labeller = Module & { forward(x: Tensor): Tensor };

/** The mean over labels of intersection over union, on pictures that were not trained on. */
function scoreAfter(steps: number, model: Labeller): number {
  const generator = new Generator(2);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  model.train();
  for (let step = 0; step < steps; step++) {
    const { x, y } = drawPictures(8, generator);
    optimizer.zeroGrad();
    crossEntropyLoss(model.forward(x), y).backward();
    optimizer.step();
  }
  model.eval();
  const { x, y } = drawPictures(40, new Generator(3));
  const chosen = noGrad(() => model.forward(x).argmax(1)).dataSync();
  const truth = y.dataSync();
  const scores = [0, 1, 2].map((label) => {
    let [both, either] = [0, 0];
    for (let i = 0; i < truth.length; i++) {
      both += Number(chosen[i] === label && truth[i] === label);
      either += Number(chosen[i] === label || truth[i] === label);
    }
    return both / either;
  });
  return scores.reduce((a, b) => a + b) / scores.length;
}

test("a U-Net tells discs from rings of the same colour, which no classifier of single pixels can", () => {
  const unet = new UNet({ inChannels: 1, numClasses: 3, baseChannels: 8, depth: 2 });
  const alone = new Sequential(new Conv2d(1, 16, 1), new ReLU(), new Conv2d(16, 3, 1));
  expect(scoreAfter(120, unet)).toBeGreaterThan(0.85);
  expect(scoreAfter(120, alone)).toBeLessThan(0.6);
}, 60_000);
