import { checkOptions, fromTypedArray, ShapeError, type Tensor } from "@gradloom/tensor";
import { refusal } from "../argument.ts";
import { emptyLike, type NdArray } from "../collate.ts";
import type { Transform } from "./compose.ts";

/** A picture or a stack of planes: `[channels, height, width]`. */
export type Planes = NdArray<Uint8Array> | NdArray<Float32Array>;

/** A side, or height and width. */
export type Size = number | readonly [height: number, width: number];

function planesOf(op: string, { shape }: NdArray): readonly [number, number, number] {
  if (shape.length === 3) return [shape[0], shape[1], shape[2]];
  throw new ShapeError(
    `${op}: the picture must be [channels, height, width], got [${shape.join(", ")}].`,
    { op, shapes: [shape] },
  );
}

function sidesOf(op: string, size: Size): readonly [number, number] {
  const sides = (Array.isArray(size) ? size : [size, size]) as readonly [number, number];
  if (sides.every((side) => Number.isSafeInteger(side) && side > 0)) return sides;
  throw refusal(op, `a side must be an integer of at least 1, got ${sides.join(" and ")}`);
}

function requireProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw refusal(op, `p must be in [0, 1], got ${p}`);
}

/** A picture of another size whose pixels come from places in this one; 0 outside. */
function moved<P extends NdArray>(
  x: P,
  [channels, height, width]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
  from: (y: number, x: number) => number,
): P {
  const data = emptyLike(x.data, channels * rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let column = 0; column < columns; column++) {
      const source = from(y, column);
      if (source < 0) continue;
      for (let c = 0; c < channels; c++) {
        data[(c * rows + y) * columns + column] = x.data[c * height * width + source];
      }
    }
  }
  return { ...x, data, shape: [channels, rows, columns] };
}

/** Cuts a part out, from a corner that may lie outside: there it is 0. */
function cropped<P extends NdArray>(op: string, x: P, top: number, left: number, size: Size): P {
  const planes = planesOf(op, x);
  const [, height, width] = planes;
  return moved(x, planes, sidesOf(op, size), (row, column) => {
    const [y, at] = [row + top, column + left];
    return y >= 0 && y < height && at >= 0 && at < width ? y * width + at : -1;
  });
}

/** The middle of a picture. What is outside of it is 0. */
export function centerCrop<P extends Planes>(size: Size): Transform<P> {
  const op = "centerCrop";
  const [rows, columns] = sidesOf(op, size);
  return (x) => {
    const [, height, width] = planesOf(op, x);
    const [top, left] = [Math.round((height - rows) / 2), Math.round((width - columns) / 2)];
    return cropped(op, x, top, left, size);
  };
}

/**
 * A part of a picture, somewhere in it.
 *
 * @param options - `padding`: pixels of 0 around the picture before it is cut. Default: 0.
 * @throws ShapeError if a padded picture is smaller than the part.
 */
export function randomCrop<P extends Planes>(
  size: Size,
  options: { readonly padding?: number } = {},
): Transform<P> {
  const op = "randomCrop";
  checkOptions(op, options, { padding: true });
  const { padding = 0 } = options;
  const [rows, columns] = sidesOf(op, size);
  return (x, random) => {
    const [, height, width] = planesOf(op, x);
    const [down, right] = [height + 2 * padding - rows, width + 2 * padding - columns];
    if (down < 0 || right < 0) {
      throw new ShapeError(
        `${op}: the padded picture must be at least [${rows}, ${columns}], got [${height + 2 * padding}, ${width + 2 * padding}]. Pad or resize it.`,
        { op, shapes: [x.shape] },
      );
    }
    const top = random.integer(down + 1) - padding;
    return cropped(op, x, top, random.integer(right + 1) - padding, size);
  };
}

/** Mirrors a picture with probability `p`, left to right. */
export function randomHorizontalFlip<P extends Planes>(p = 0.5): Transform<P> {
  const op = "randomHorizontalFlip";
  requireProbability(op, p);
  return (x, random) => {
    const planes = planesOf(op, x);
    const [, height, width] = planes;
    if (random.uniform() >= p) return x;
    return moved(x, planes, [height, width], (y, column) => y * width + width - 1 - column);
  };
}

/** Mirrors a picture with probability `p`, upside down. */
export function randomVerticalFlip<P extends Planes>(p = 0.5): Transform<P> {
  const op = "randomVerticalFlip";
  requireProbability(op, p);
  return (x, random) => {
    const planes = planesOf(op, x);
    const [, height, width] = planes;
    if (random.uniform() >= p) return x;
    return moved(x, planes, [height, width], (y, column) => (height - 1 - y) * width + column);
  };
}

/**
 * Turns a picture about its middle by an angle in `[-degrees, degrees]`, counter-clockwise; the nearest pixel is taken, and
 * what comes from outside is 0.
 */
export function randomRotation<P extends Planes>(degrees: number): Transform<P> {
  const op = "randomRotation";
  if (!(degrees >= 0)) throw refusal(op, `degrees must be at least 0, got ${degrees}`);
  return (x, random) => {
    const planes = planesOf(op, x);
    const [, height, width] = planes;
    const angle = (random.uniform(-degrees, degrees) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
    return moved(x, planes, [height, width], (row, column) => {
      const [dy, dx] = [row - middleY, column - middleX];
      const fromY = Math.round(middleY + cos * dy + sin * dx);
      const fromX = Math.round(middleX - sin * dy + cos * dx);
      const isInside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
      return isInside ? fromY * width + fromX : -1;
    });
  };
}

/**
 * A picture in another size, interpolated linearly between pixels (as `interpolate` with `alignCorners: false`, without
 * smoothing first).
 */
export function resize<P extends Planes>(size: Size): Transform<P> {
  const op = "resize";
  const [rows, columns] = sidesOf(op, size);
  return (x) => {
    const [channels, height, width] = planesOf(op, x);
    const ys = places(rows, height);
    const xs = places(columns, width);
    const data = emptyLike(x.data, channels * rows * columns);
    const round = data instanceof Uint8Array ? Math.round : (value: number) => value;
    let at = 0;
    for (let c = 0; c < channels; c++) {
      const plane = c * height * width;
      for (const [y0, y1, dy] of ys) {
        for (const [x0, x1, dx] of xs) {
          const above =
            x.data[plane + y0 * width + x0] * (1 - dx) + x.data[plane + y0 * width + x1] * dx;
          const below =
            x.data[plane + y1 * width + x0] * (1 - dx) + x.data[plane + y1 * width + x1] * dx;
          data[at++] = round(above * (1 - dy) + below * dy);
        }
      }
    }
    return { ...x, data, shape: [channels, rows, columns] };
  };
}

/** For each new place: the old ones before and behind it, and how near it is to the latter. */
function places(count: number, from: number): readonly (readonly [number, number, number])[] {
  return Array.from({ length: count }, (_, i) => {
    const place = Math.max(0, ((i + 0.5) * from) / count - 0.5);
    const before = Math.min(from - 1, Math.floor(place));
    return [before, Math.min(from - 1, before + 1), place - before];
  });
}

/** Bytes as floats from 0 to 1; floats as they are. */
export function toFloat(): Transform<Planes, NdArray<Float32Array>> {
  return ({ data, shape }) => ({
    data: data instanceof Float32Array ? data : Float32Array.from(data, (value) => value / 255),
    shape,
  });
}

/** {@link toFloat}, as a tensor. */
export function toTensor(): Transform<Planes, Tensor> {
  const convert = toFloat();
  return (x, random) => {
    const { data, shape } = convert(x, random);
    return fromTypedArray(data, shape);
  };
}

/**
 * `(x - mean) / std`, with a mean and a deviation for each channel, or one for all.
 *
 * @throws ShapeError if there are other channels than means. ArgumentError if a deviation is 0.
 */
export function normalize(
  mean: number | readonly number[],
  std: number | readonly number[],
): Transform<NdArray<Float32Array>> {
  const op = "normalize";
  const [means, deviations] = [[mean].flat(), [std].flat()];
  if (deviations.some((value) => !(value > 0))) {
    throw refusal(op, `std must be above 0, got ${deviations.join(", ")}`);
  }
  return ({ data, shape }) => {
    const channels = shape[0] ?? 1;
    for (const list of [means, deviations]) {
      if (list.length !== 1 && list.length !== channels) {
        throw new ShapeError(
          `${op}: there must be a mean and a std for each of ${channels} channels, got ${list.length}.`,
          { op, shapes: [shape] },
        );
      }
    }
    const size = data.length / channels;
    const at = (list: readonly number[], channel: number) => list[list.length === 1 ? 0 : channel];
    const result = data.map((value, i) => {
      const channel = Math.floor(i / size);
      return (value - at(means, channel)) / at(deviations, channel);
    });
    return { data: result, shape };
  };
}

/** Adds normal noise to each number. */
export function gaussianNoise(std: number): Transform<NdArray<Float32Array>> {
  if (!(std >= 0)) throw refusal("gaussianNoise", `std must be at least 0, got ${std}`);
  return ({ data, shape }, random) => ({
    data: data.map((value) => value + std * random.normal()),
    shape,
  });
}

/**
 * A class as a vector with a 1 in its place: `[numClasses]`.
 *
 * @throws ArgumentError if the class is not one of `0 … numClasses - 1`.
 */
export function oneHot(numClasses: number): Transform<number, Float32Array> {
  return (label) => {
    if (!(Number.isInteger(label) && label >= 0 && label < numClasses)) {
      throw refusal("oneHot", `a class must be in 0 … ${numClasses - 1}, got ${label}`);
    }
    return Float32Array.from({ length: numClasses }, (_, i) => Number(i === label));
  };
}
