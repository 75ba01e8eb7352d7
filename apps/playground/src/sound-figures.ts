// The pictures of the run on sounds: what the kinds look like, and which are taken for which.
import type { Tensor } from "@gradloom/tensor";
import { drawPixelFigure, type PixelImage, type PixelRow } from "./pixel-figure.ts";
import { kinds, type Sounds } from "./sounds.ts";

const perKind = 5;

/** Some mel spectrograms of each kind, low frequencies below. */
export async function soundsFigure(sounds: Sounds, pictures: Tensor): Promise<string> {
  const [, , height, width] = pictures.shape;
  const values = await pictures.slice(0, 0, perKind * kinds.length).data();
  const image = (i: number): PixelImage => ({
    values: Float32Array.from({ length: height * width }, (_, at) => {
      const row = height - 1 - Math.floor(at / width);
      // From quiet to three deviations above the mean.
      return (values[(i * height + row) * width + (at % width)] + 1) / 4;
    }).map((value) => Math.max(0, Math.min(1, value))),
    height,
    width,
    palette: "heat",
  });
  const rows = kinds.map(
    (name, kind): PixelRow => ({
      title: name,
      images: Array.from(sounds.labels.keys())
        .filter((i) => sounds.labels[i] === kind)
        .slice(0, perKind)
        .map(image),
      scale: 2,
    }),
  );
  return drawPixelFigure(
    "What sounds look like",
    "loudness: time to the right, frequency upwards on the mel scale (0 to 4000 Hz)",
    rows,
  );
}
