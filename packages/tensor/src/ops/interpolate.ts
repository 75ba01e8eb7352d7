import { fromTypedArray } from "../create.ts";
import { argumentError, shapeError } from "../errors.ts";
import { requireOneOf } from "../options.ts";
import { requireFloat } from "../promote.ts";
import { literal } from "../record.ts";
import { resized } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { takeAlong } from "./indexing.ts";
import { type Pair, perAxis } from "./window.ts";

/** What `interpolate` takes: a size or a factor. */
export interface InterpolateOptions {
  /** The new size: a number for all axes behind the channels, or one for each. */
  readonly size?: Pair;
  /** How much larger: a number for all axes behind the channels, or one for each. The new size is rounded down. */
  readonly scaleFactor?: Pair;
  /** The nearest element; or, for `[batch, channels, height, width]`, a mean of the four around. Default: `"nearest"`. */
  readonly mode?: "nearest" | "bilinear";
  /** For `"bilinear"`: whether the outer pixels' centres stay in place, or their outer edges. Default: false. */
  readonly alignCorners?: boolean;
}

/**
 * Resizes images, or sequences: everything behind the first two axes.
 *
 * - Shape: `[batch, channels, ...sizes] -> [batch, channels, ...newSizes]`
 * - Coordinates are PyTorch's: with factor `f` (the given one, or new size / size), pixel `i` shows what is at `⌊i / f⌋`, or for
 *   `"bilinear"` at `(i + ½) / f - ½`; with `alignCorners` at `i · (size - 1) / (newSize - 1)`
 * @example `x.interpolate({ scaleFactor: 2, mode: "bilinear", alignCorners: true })`
 * @throws ArgumentError unless either `size` or `scaleFactor` is given, or for an option out of range. ShapeError if `x` has no
 *   such axes, or nothing is left.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const op = "interpolate";
  const { size, scaleFactor, mode = "nearest", alignCorners } = options;
  requireOneOf(op, "mode", mode, ["nearest", "bilinear"]);
  const sizes = x.shape.slice(2);
  if (sizes.length === 0 || (mode === "bilinear" && sizes.length !== 2)) {
    throw shapeError`${op}: the tensor must be [batch, channels, height, width], got ${x.shape}.`;
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw argumentError`${op}: either size or scaleFactor must be given, got ${size === undefined ? "none" : "both"}.`;
  }
  const factors = typeof scaleFactor === "number" ? sizes.map(() => scaleFactor) : scaleFactor;
  if (factors && (factors.length !== sizes.length || !factors.every((f) => f > 0))) {
    throw argumentError`${op}: scaleFactor must be a positive number or ${sizes.length} of them, got ${scaleFactor!}.`;
  }
  const wanted = size ?? sizes.map((length, a) => Math.floor(length * factors![a]));
  const target = perAxis(op, "the new size", wanted, sizes.length, 1);
  if (mode === "bilinear") {
    requireFloat(op, x);
    const mix = (y: Tensor, axis: number) =>
      linear(y, axis, target[axis - 2], factors?.[axis - 2], alignCorners === true);
    return mix(mix(x, 3), 2);
  }
  if (alignCorners !== undefined) {
    throw argumentError`${op}: alignCorners must go with mode "bilinear", got mode "nearest".`;
  }
  return target.reduce((y, length, a) => nearest(y, 2 + a, length, factors?.[a]), x);
}

function nearest(x: Tensor, axis: number, length: number, factor: number | undefined): Tensor {
  const size = x.shape[axis];
  const grown = length / size;
  if (grown === (factor ?? grown)) {
    if (grown === 1) return x;
    if (Number.isInteger(grown)) return x.repeatInterleave(grown, axis);
    if (Number.isInteger(size / length)) return x.slice(axis, 0, size, { step: size / length });
  }
  const step = Math.fround(factor === undefined ? size / length : 1 / factor);
  const at = Int32Array.from({ length }, (_, i) =>
    Math.min(Math.floor(Math.fround(i * step)), size - 1),
  );
  return elementsAt(x, at, axis);
}

/** A mean of two neighbours for each new position. Positions are rounded as PyTorch rounds them. */
function linear(
  x: Tensor,
  axis: number,
  length: number,
  factor: number | undefined,
  alignCorners: boolean,
): Tensor {
  const size = x.shape[axis];
  const round = x.dtype === "float64" ? (value: number) => value : Math.fround;
  const corners = length > 1 ? (size - 1) / (length - 1) : 0;
  const step = round(alignCorners ? corners : factor === undefined ? size / length : 1 / factor);
  const below = new Int32Array(length);
  const weight = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const place = alignCorners
      ? round(step * i)
      : Math.max(round(round(step * (i + 0.5)) - 0.5), 0);
    below[i] = Math.min(Math.floor(place), size - 1);
    weight[i] = Math.min(Math.max(round(place - below[i]), 0), 1);
  }
  const above = below.map((at) => Math.min(at + 1, size - 1));
  const column = [length, ...x.shape.slice(axis + 1).map(() => 1)];
  const ofAbove = fromTypedArray(weight, column, { dtype: x.dtype });
  const ofBelow = literal(1, x).sub(ofAbove);
  return elementsAt(x, below, axis)
    .mul(ofBelow)
    .add(elementsAt(x, above, axis).mul(ofAbove));
}

/** The elements at these positions of an axis, which exist. */
function elementsAt(x: Tensor, positions: Int32Array, axis: number): Tensor {
  const column = [positions.length, ...x.shape.slice(axis + 1).map(() => 1)];
  const index = fromTypedArray(positions, column).expand(resized(x.shape, axis, positions.length));
  return takeAlong(x, index, axis);
}
