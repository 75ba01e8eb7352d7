import type { Dropout, Layer, LayerNorm, Linear } from "@gradloom/layers";
import type { Tensor } from "@gradloom/tensor";

/** What a sublayer stands between. */
interface Surroundings {
  readonly dropout: Dropout;
  readonly normFirst: boolean;
}

/**
 * A sublayer with its residual connection: `norm(x + dropout(sublayer(x)))` as in the paper, or with the norm in front,
 * `x + dropout(sublayer(norm(x)))`.
 */
export function residual(
  { dropout, normFirst }: Surroundings,
  x: Tensor,
  norm: LayerNorm,
  sublayer: (x: Tensor) => Tensor,
): Tensor {
  return normFirst
    ? x.add(dropout.forward(sublayer(norm.forward(x))))
    : norm.forward(x.add(dropout.forward(sublayer(x))));
}

/** The position-wise part of a layer, under PyTorch's names; or what stands in for it. */
interface PositionWise {
  readonly linear1: Linear | undefined;
  readonly linear2: Linear | undefined;
  readonly feedForward: Layer | undefined;
  readonly dropout: Dropout;
}

/** `linear2(dropout(activate(linear1(x))))`, or what stands in for it. */
export function positionWise(
  { linear1, linear2, feedForward, dropout }: PositionWise,
  activate: (x: Tensor) => Tensor,
  x: Tensor,
): Tensor {
  const hidden = linear1 && dropout.forward(activate(linear1.forward(x)));
  return hidden && linear2 ? linear2.forward(hidden) : feedForward!.forward(x);
}
