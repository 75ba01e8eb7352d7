// Pictures, their labels, and what each network makes of them, side by side.
import { drawPixelFigure, type PixelImage, type PixelRow } from "./pixel-figure.ts";
import { chooseScenes, kinds, type Scenes, sceneSide } from "./scenes.ts";
import { intersectionOverUnion, mean } from "./segmentation.ts";

/** What a network said of all pictures. */
export interface Labelling {
  readonly name: string;
  readonly labels: Int32Array;
}

/** Red, green and blue of each kind. */
const colourOfKind: Record<(typeof kinds)[number], readonly [number, number, number]> = {
  ground: [0.9, 0.91, 0.92],
  disc: [0.85, 0.47, 0.02],
  ring: [0.15, 0.39, 0.92],
  square: [0.02, 0.59, 0.41],
  triangle: [0.86, 0.15, 0.47],
};

const pixels = sceneSide * sceneSide;

/** The first `count` pictures in rows: the picture, the truth, and the labels of each network. */
export function labellingsFigure(
  scenes: Scenes,
  labellings: readonly Labelling[],
  count: number,
): string {
  const rows = Array.from({ length: count }, (_, id): PixelRow => {
    const { pictures, labels } = chooseScenes(scenes, id, id + 1);
    const images = labellings.map((labelling): PixelImage => {
      const chosen = labelling.labels.subarray(id * pixels, (id + 1) * pixels);
      const right = chosen.filter((label, i) => label === labels[i]).length / pixels;
      return labelsImage(chosen, `${labelling.name}: ${(100 * right).toFixed(1)} % right`);
    });
    const size = { height: sceneSide, width: sceneSide };
    return {
      images: [
        { ...size, values: pictures, palette: "rgb", caption: "picture" },
        labelsImage(labels, "truth"),
        ...images,
      ],
      scale: 2,
    };
  });
  const scores = labellings.map(
    ({ name, labels }) =>
      `${name} ${mean(intersectionOverUnion(scenes.labels, labels)).toFixed(3)}`,
  );
  return drawPixelFigure(
    "What each pixel belongs to",
    `disc orange, ring blue, square green, triangle pink · mean IoU: ${scores.join(", ")}`,
    rows,
  );
}

function labelsImage(labels: Int32Array, caption: string): PixelImage {
  const values = new Float32Array(3 * pixels);
  labels.forEach((label, i) => {
    colourOfKind[kinds[label]].forEach((value, channel) => {
      values[channel * pixels + i] = value;
    });
  });
  return { values, height: sceneSide, width: sceneSide, palette: "rgb", caption };
}
