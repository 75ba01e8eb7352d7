// The pictures of the run on digits: predictions, confusions, filters, and what each layer makes of a digit.
import type { CNN } from "@gradloom/cnn";
import { noGrad, type Tensor } from "@gradloom/tensor";
import { choose, type Digits, side, tensorsOf } from "./digits.ts";
import { drawPixelFigure, type PixelImage, type PixelRow } from "./pixel-figure.ts";

const pixels = side * side;

/** Some test pictures with what the model says, then the mistakes. */
export function predictionsFigure(test: Digits, predicted: Int32Array, accuracy: number): string {
  const ids = Array.from(predicted, (_, i) => i);
  const wrong = ids.filter((i) => predicted[i] !== test.labels[i]);
  const image = (i: number): PixelImage => ({
    values: test.pictures.subarray(i * pixels, (i + 1) * pixels),
    height: side,
    width: side,
    palette: "ink",
    caption:
      predicted[i] === test.labels[i] ? `${predicted[i]}` : `${predicted[i]}, is ${test.labels[i]}`,
    isWrong: predicted[i] !== test.labels[i],
  });
  const rowsOf = (list: readonly number[], title: string): PixelRow[] =>
    Array.from({ length: Math.ceil(list.length / 10) }, (_, row) => ({
      ...(row === 0 ? { title } : {}),
      images: list.slice(row * 10, row * 10 + 10).map(image),
      scale: 2,
    }));
  return drawPixelFigure(
    "What the model makes of digits that it has not seen",
    `${(100 * accuracy).toFixed(2)} % of ${test.labels.length} test pictures are right`,
    [
      ...rowsOf(ids.slice(0, 20), "the first test pictures"),
      ...rowsOf(wrong.slice(0, 30), `mistakes (${Math.min(30, wrong.length)} of ${wrong.length})`),
    ],
  );
}

/** The filters of the first convolution. */
export async function filtersFigure(weight: Tensor): Promise<string> {
  const images = await imagesOf(weight.detach().select(1, 0), "signed");
  return drawPixelFigure(
    "The filters of the first layer",
    "what each of its channels looks for: orange counts for it, blue against it",
    Array.from({ length: Math.ceil(images.length / 8) }, (_, row) => ({
      images: images.slice(row * 8, row * 8 + 8),
      scale: 16,
    })),
  );
}

/** An image for each matrix of `[count, height, width]`, all on the scale of the largest value. */
async function imagesOf(x: Tensor, palette: PixelImage["palette"]): Promise<PixelImage[]> {
  const [count, height, width] = x.shape;
  const largest = x.abs().max().clamp({ min: 1e-9 });
  const values = await noGrad(() => x.div(largest)).data();
  return Array.from({ length: count }, (_, i) => {
    const image = values.subarray(i * height * width, (i + 1) * height * width);
    return { values: image as ArrayLike<number>, height, width, palette };
  });
}

/** A digit, and eight channels of what each stage of the features makes of it. */
export async function featuresFigure(model: CNN, test: Digits, id: number): Promise<string> {
  model.eval();
  const digit = choose(test, [id]);
  const rows: PixelRow[] = [
    {
      title: "the picture",
      images: [{ values: digit.pictures, height: side, width: side, palette: "ink" }],
      scale: 4,
    },
  ];
  let x = tensorsOf(digit).x;
  for (const layer of model.features) {
    x = noGrad(() => layer.forward(x));
    const name = layer.constructor.name;
    if (name !== "ReLU" && name !== "MaxPool2d") continue;
    const [, channels, height, width] = x.shape;
    const shown = Math.min(8, channels);
    const images = await imagesOf(x.select(0, 0).slice(0, 0, shown), "heat");
    const title = `${name === "ReLU" ? "behind a convolution" : "behind its pool"}: ${shown} of ${channels} channels, ${height} × ${width}`;
    rows.push({ title, images, scale: Math.max(2, Math.floor(90 / height)) });
  }
  return drawPixelFigure(
    `What the layers see in a ${test.labels[id]}`,
    "darker: more of what the channel looks for",
    rows,
  );
}
