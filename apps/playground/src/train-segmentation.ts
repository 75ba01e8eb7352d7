// A U-Net learns to say what each pixel of a picture belongs to.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manualSeed } from "@gradloom/tensor";
import { UNet } from "@gradloom/unet";
import { duration, whole } from "./numbers.ts";
import { toPng } from "./png.ts";
import { createProgress } from "./progress.ts";
import { kinds, SceneArtist, sceneSide } from "./scenes.ts";
import {
  fitLabeller,
  intersectionOverUnion,
  labelsOf,
  mean,
  type PixelLabeller,
  pixelClassifier,
  WithoutSkips,
} from "./segmentation.ts";
import { type Labelling, labellingsFigure } from "./segmentation-figures.ts";
import { writing } from "./writing.ts";

/** What the command takes from its flags. */
export interface TrainSegmentationOptions {
  readonly steps: number;
  readonly lr: number;
  readonly batchSize: number;
  /** Pictures for the test. */
  readonly heldOut: number;
  /** Channels of the U-Net's first level. */
  readonly channels: number;
  /** How often the U-Net halves its pictures. */
  readonly depth: number;
  /** The standard deviation of the noise. */
  readonly noise: number;
  /** Whether the U-Net is trained a second time, without its skip connections. */
  readonly ablation: boolean;
  readonly seed: number;
  /** The folder that receives the pictures. */
  readonly out: string;
  readonly pictures: boolean;
}

/**
 * Trains the U-Net, then what it is compared with; tests all on the same pictures; draws.
 *
 * @throws PlaygroundError if training diverges or a file cannot be written; InterruptedError if `signal` is aborted.
 */
export async function trainSegmentation(
  options: TrainSegmentationOptions,
  stream: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { steps, lr, batchSize, heldOut, channels, depth, noise, seed, out } = options;
  await writing(() => mkdir(out, { recursive: true }));
  const write = (text = "") => stream.write(`${text}\n`);

  const scenes = new SceneArtist(seed, noise).draw(heldOut);
  const newUNet = () =>
    new UNet({ inChannels: 3, numClasses: kinds.length, baseChannels: channels, depth });
  const contestants: [name: string, make: () => PixelLabeller][] = [
    ["U-Net", newUNet],
    ...(options.ablation
      ? [
          ["without skips", () => new WithoutSkips(newUNet())] satisfies [
            string,
            () => PixelLabeller,
          ],
        ]
      : []),
    ["each pixel alone", pixelClassifier],
  ];
  write(
    "A U-Net labels each pixel: shapes that overlap, in the colours and textures of the ground",
  );
  write(
    `  data      pictures of ${sceneSide} × ${sceneSide}, noise σ = ${noise}, new ones in each step; ${whole(heldOut)} to test with`,
  );
  write(`  labels    ${kinds.join(", ")}`);
  write(
    `  training  ${whole(steps)} steps of Adam, batches of ${batchSize}, lr up to ${lr}, seed ${seed}`,
  );

  const labellings: Labelling[] = [];
  for (const [name, make] of contestants) {
    manualSeed(seed);
    const model = make();
    write(`\n${name}: ${whole(model.numParameters)} parameters`);
    // All learn from the same pictures, none of which is in the test.
    const artist = new SceneArtist(seed + 1, noise);
    const progress = createProgress(stream, steps);
    const start = performance.now();
    const onStep = (step: number, loss: number) => progress.update(step, loss);
    const fitting = fitLabeller(model, artist, { steps, batchSize, lr, signal, onStep });
    await fitting.finally(() => progress.stop());
    const seconds = (performance.now() - start) / 1000;
    const labels = await labelsOf(model, scenes);
    labellings.push({ name, labels });
    const score = mean(intersectionOverUnion(scenes.labels, labels));
    write(`trained in ${duration(seconds)}, mean IoU ${score.toFixed(4)}`);
  }

  write(`\nintersection over union on ${whole(heldOut)} pictures that no model has seen`);
  write(table(scenes.labels, labellings));
  if (!options.pictures) return;

  const file = join(out, "labels.png");
  const png = await toPng(labellingsFigure(scenes, labellings, Math.min(6, heldOut)));
  await writing(() => writeFile(file, png));
  write(`\nwritten\n  ${file}`);
}

function table(truth: Int32Array, labellings: readonly Labelling[]): string {
  const line = (head: string, cells: readonly string[]) =>
    `  ${head.padEnd(18)}${cells.map((cell) => cell.padStart(10)).join("")}`;
  const rows = labellings.map(({ name, labels }) => {
    const scores = intersectionOverUnion(truth, labels);
    return line(
      name,
      [...scores, mean(scores)].map((score) => score.toFixed(3)),
    );
  });
  return [line("", [...kinds, "mean"]), ...rows].join("\n");
}
