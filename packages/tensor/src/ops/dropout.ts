import type { Generator } from "../generator.ts";
import { requireFloat } from "../promote.ts";
import { dropoutMask } from "../random.ts";
import type { Tensor } from "../tensor.ts";

/** What `dropout` takes. */
export interface DropoutOptions {
  /** If false, `x` comes back as it is. Default: true. */
  readonly training?: boolean;
  /** Default: the one that `manualSeed` sets. */
  readonly generator?: Generator;
}

/**
 * Sets elements to 0 with probability `p` and scales the others by `1 / (1 - p)`, so that the mean stays.
 *
 * - Paper: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 * @throws ArgumentError if `p` is not in [0, 1].
 */
export function dropout(x: Tensor, p: number = 0.5, options: DropoutOptions = {}): Tensor {
  requireFloat("dropout", x);
  const { training = true, ...generator } = options;
  if (!training || p === 0) return x;
  return x.mul(dropoutMask(x.shape, p, { dtype: x.dtype, ...generator }));
}
