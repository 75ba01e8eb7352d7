import { shapeError } from "../errors.ts";
import { firstAxes, requireCount } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Makes pixels of channels, so that images grow: `y[c, h · r + i, w · r + j] = x[c · r² + i · r + j, h, w]`. It is a view.
 *
 * - Shape: `[..., channels · r², height, width] -> [..., channels, height · r, width · r]` with `r = upscaleFactor`
 * - Paper: Shi et al. 2016, https://arxiv.org/abs/1609.05158
 * @throws ShapeError unless `r²` divides the channels. ArgumentError if `r` is not a positive integer.
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const r = upscaleFactor;
  requireCount("pixelShuffle", "upscaleFactor", r, 1);
  const lead = x.ndim - 3;
  const [channels, height, width] = x.shape.slice(-3);
  if (lead < 0 || channels % (r * r) !== 0) {
    throw shapeError`pixelShuffle: the square of the factor must divide the channels of [..., channels, height, width], got ${r} for ${x.shape}.`;
  }
  const front = x.shape.slice(0, -3);
  const out = channels / (r * r);
  return x
    .reshape([...front, out, r, r, height, width])
    .permute([...firstAxes(lead), ...[0, 3, 1, 4, 2].map((axis) => lead + axis)])
    .reshape([...front, out, height * r, width * r]);
}
