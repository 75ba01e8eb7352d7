// A CNN tells sounds apart that have the same frequencies in another order.
import { CNN } from "@gradloom/cnn";
import { amplitudeToDb, DataLoader, melSpectrogram, Random, TensorDataset } from "@gradloom/data";
import { crossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { fromTypedArray, manualSeed, noGrad, type Tensor } from "@gradloom/tensor";
import { beforeEach, expect, test } from "vitest";

beforeEach(() => {
  manualSeed(1);
});

const sampleRate = 4000;
const samples = 2000;

/** Tones in noise that rise (0), fall (1), or rise and fall (2), from any pitch and at any loudness: pictures `[count, 1, 24, 32]`. */
function record(count: number, seed: number): { x: Tensor; y: Tensor } {
  const random = new Random(seed);
  const waveforms = new Float32Array(count * samples);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  labels.forEach((label, i) => {
    const low = random.uniform(200, 700);
    const range = random.uniform(1.5, 2.5);
    const loudness = random.uniform(0.05, 1);
    let phase = random.uniform(0, 6);
    for (let n = 0; n < samples; n++) {
      const t = n / samples;
      const height = [t, 1 - t, 1 - Math.abs(2 * t - 1)][label];
      phase += (2 * Math.PI * low * range ** height) / sampleRate;
      waveforms[i * samples + n] = loudness * (Math.sin(phase) + random.normal());
    }
  });
  const sounds = fromTypedArray(waveforms, [count, samples]);
  const mel = melSpectrogram(sounds, { sampleRate, nFft: 128, hopLength: 64, nMels: 24 });
  const picture = amplitudeToDb(mel, { topDb: 50 });
  const centred = picture.sub(picture.mean([1, 2], { keepdim: true }));
  return { x: centred.div(10).unsqueeze(1), y: fromTypedArray(labels) };
}

test("a CNN hears whether a tone rises, falls, or does both", async () => {
  const training = record(240, 1);
  const held = record(120, 2);
  const model = new CNN({
    inChannels: 1,
    numClasses: 3,
    channels: [8, 16],
    hidden: 32,
    dropout: 0,
    poolSize: 4,
  });
  const optimizer = new Adam(model.parameters(), { lr: 0.003 });
  const dataset = new TensorDataset(training.x, training.y);
  const loader = new DataLoader(dataset, { batchSize: 24, shuffle: true, seed: 0 });
  for (let epoch = 0; epoch < 12; epoch++) {
    for await (const [x, y] of loader) {
      const loss = crossEntropyLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
  }
  model.eval();
  const right = noGrad(() => model.forward(held.x).argmax(1).eq(held.y));
  expect(await right.to("float32").mean().item()).toBeGreaterThan(0.95);
});
