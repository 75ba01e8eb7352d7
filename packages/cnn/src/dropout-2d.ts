import { Dropout } from "@gradloom/layers";
import { ones, ShapeError, type Tensor } from "@gradloom/tensor";

/**
 * In training, sets whole channels to 0 with probability `p` and divides the others by `1 − p`; in evaluation, `y = x`.
 * Neighbouring pixels say nearly the same, so dropping single ones would take little away.
 *
 * - Shape: `x [batch, channels, height, width]`, or without a batch; the result has the same
 * - Paper: Tompson et al. 2015, https://arxiv.org/abs/1411.4280
 * @throws ArgumentError if `p` is not a probability.
 */
export class Dropout2d extends Dropout {
  override forward(x: Tensor): Tensor {
    if (x.ndim < 3 || x.ndim > 4) {
      throw new ShapeError(
        `Dropout2d: x must be [batch, channels, height, width] or [channels, height, width], got [${x.shape.join(", ")}].`,
        { op: "Dropout2d", shapes: [x.shape] },
      );
    }
    if (!this.training || this.p === 0) return x;
    const channels = ones([...x.shape.slice(0, -2), 1, 1], { dtype: x.dtype });
    return x.mul(channels.dropout(this.p));
  }
}
