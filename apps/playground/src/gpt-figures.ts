// The pictures of the GPT: how its loss falls, and where its heads look.
import type { CharTokenizer, GPT } from "@gradloom/gpt";
import { fromTypedArray, noGrad } from "@gradloom/tensor";
import { movingAverage, thinned } from "./charts.ts";
import { curvesChart, levelColour } from "./curves-chart.ts";
import { colours } from "./figure.ts";
import type { GPTTraining } from "./gpt-training.ts";
import { drawPixelFigure, type PixelImage } from "./pixel-figure.ts";

/** The loss of each step, averaged over its neighbours, and that of the text which was held out. */
export function gptLossFigure({ losses, evaluations }: GPTTraining, subtitle: string): string {
  const average = movingAverage(losses, Math.max(1, Math.round(losses.length / 200)));
  const points = average.map((y, i) => ({ x: i + 1, y }));
  const best = evaluations[evaluations.length - 1];
  return curvesChart({
    title: "A GPT learns to write Moby Dick",
    subtitle,
    x: "step",
    y: "nats for each character",
    curves: [
      { label: "training", colour: colours.samples, points: thinned(points, 1500) },
      {
        label: "the last tenth of the book, which it does not train on",
        colour: colours.fit,
        points: evaluations.map(({ step, loss }) => ({ x: step, y: loss })),
      },
    ],
    levels: [{ label: `at last ${best.loss.toFixed(3)}`, y: best.loss, colour: levelColour }],
  });
}

/** For each head of each layer, how much each character (row) attends to each before it (column). */
export async function attentionFigure(
  model: GPT,
  tokenizer: CharTokenizer,
  text: string,
): Promise<string> {
  const ids = Int32Array.from(tokenizer.encode(text));
  const time = ids.length;
  model.eval();
  const characters = [...text].map((character) => (character === "\n" ? "¶" : character));
  let x = noGrad(() => {
    const places = model.wpe.weight.narrow(0, 0, time);
    return model.wte.forward(fromTypedArray(ids, [1, time])).add(places);
  });
  const rows = [];
  for (const [layer, block] of [...model.blocks].entries()) {
    const weights = noGrad(() => block.attn.weights(block.ln1.forward(x)));
    const values = await weights.data();
    const images = Array.from(
      { length: block.attn.numHeads },
      (_, head): PixelImage => ({
        values: Float32Array.from(values.subarray(head * time * time, (head + 1) * time * time)),
        height: time,
        width: time,
        palette: "heat",
        columns: characters,
      }),
    );
    rows.push({ title: `layer ${layer + 1}, a picture for each head`, images, scale: 8 });
    const before = x;
    x = noGrad(() => block.forward(before));
  }
  return drawPixelFigure(
    "Where the heads look",
    "a row for each character of the text below, from top to bottom: the darker, the more it takes from the character of a column",
    rows,
  );
}
