import { Module } from "@gradloom/layers";
import { ArgumentError } from "@gradloom/tensor";
import { Conv1d, Conv2d } from "./conv.ts";
import { AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d } from "./pool.ts";

/** What one output pixel sees of the input, by axis. */
export interface ReceptiveField {
  /** How many input pixels wide the window is. `Infinity`: all of them, behind an adaptive pool. */
  readonly size: readonly number[];
  /** How many input pixels the windows of neighbouring output pixels are apart. */
  readonly stride: readonly number[];
  /** How many pixels the first window begins before the first input pixel. */
  readonly padding: readonly number[];
}

interface Geometry {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | "same" | "valid";
  readonly dilation?: readonly number[];
}

/**
 * What one output pixel of a stack of layers sees of its input. With windows of `k` elements, `d` apart, the layers add up,
 * from the first to the last, to
 *
 *     size += (k − 1)·d·stride    padding += p·stride    stride *= s
 *
 * Counts the convolutions and pools in a `Sequential`, or in a module whose parts run one after the other, up to an adaptive pool; of parallel
 * ways, as in a `BasicBlock`, the longest. Other layers work on each pixel alone.
 *
 * See Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields/.
 *
 * @throws ArgumentError if there is no convolution or pool.
 *
 * @example
 * ```ts
 * receptiveField(new Sequential(new Conv2d(1, 8, 3, { padding: 1 }), new MaxPool2d(2)));
 * // { size: [4, 4], stride: [2, 2], padding: [1, 1] }
 * ```
 */
export function receptiveField(module: Module): ReceptiveField {
  const layers = sequence(module);
  const first = layers.find((layer) => geometryOf(layer) !== undefined);
  if (first === undefined) {
    throw new ArgumentError(
      `receptiveField: there must be a convolution or a pool, got ${module.constructor.name} without.`,
      { op: "receptiveField" },
    );
  }
  const axes = geometryOf(first)!.kernelSize.map((_, axis) => axis);
  let size = axes.map(() => 1);
  let stride = axes.map(() => 1);
  let padding = axes.map(() => 0);
  for (const layer of layers) {
    if (layer instanceof AdaptiveAvgPool2d || layer instanceof AdaptiveMaxPool2d) {
      return { size: axes.map(() => Infinity), stride, padding };
    }
    const geometry = geometryOf(layer);
    if (geometry === undefined) continue;
    const reach = axes.map((a) => (geometry.kernelSize[a] - 1) * (geometry.dilation?.[a] ?? 1));
    const added = axes.map((a) => {
      if (geometry.padding === "valid") return 0;
      return geometry.padding === "same" ? Math.floor(reach[a] / 2) : geometry.padding[a];
    });
    size = axes.map((a) => size[a] + reach[a] * stride[a]);
    padding = axes.map((a) => padding[a] + added[a] * stride[a]);
    stride = axes.map((a) => stride[a] * geometry.stride[a]);
  }
  return { size, stride, padding };
}

function geometryOf(layer: Module): Geometry | undefined {
  const hasWindows =
    layer instanceof Conv1d ||
    layer instanceof Conv2d ||
    layer instanceof MaxPool2d ||
    layer instanceof AvgPool2d;
  return hasWindows ? layer : undefined;
}

/** The layers without parts, in the order in which they run; those on a way around others are left out. */
function sequence(module: Module): Module[] {
  const parts = module.namedChildren().filter(([key]) => key !== "downsample");
  if (parts.length === 0) return [module];
  return parts.flatMap(([, part]) => (part instanceof Module ? sequence(part) : []));
}
