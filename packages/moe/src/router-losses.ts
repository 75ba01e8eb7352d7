import { requireTensor, type Tensor, zeros } from "@gradloom/tensor";

/**
 * How unevenly experts are chosen: `numExperts · Σ fₑ pₑ`, where `fₑ` is the part of all choices that went to expert `e` and `pₑ` its mean probability. It is 1
 * if all are chosen as often, and up to `numExperts` if one gets everything; 0 without rows. Only the probabilities have a gradient.
 *
 * - Shape: `logits [rows, numExperts]`, `load [numExperts]` (choices of each expert) → a scalar
 * - Paper: Fedus et al. 2021 (Switch Transformer), equations 4 to 6, https://arxiv.org/abs/2101.03961
 */
export function balanceLoss(logits: Tensor, load: Tensor): Tensor {
  requireTensor("balanceLoss", logits);
  requireTensor("balanceLoss", load);
  const [rows, numExperts] = logits.shape;
  if (rows === 0) return zeros([], { dtype: logits.dtype });
  const f = load.to(logits.dtype).div(load.sum());
  const p = logits.softmax(-1).mean(0);
  return f.mul(p).sum().mul(numExperts);
}

/**
 * How large the router's logits are: the mean of `logsumexp(logits)²`. Small ones are rounded less and saturate less. 0 without rows.
 *
 * - Shape: `logits [rows, numExperts]` → a scalar
 * - Paper: Zoph et al. 2022 (ST-MoE), equation 5, https://arxiv.org/abs/2202.08906
 */
export function zLoss(logits: Tensor): Tensor {
  requireTensor("zLoss", logits);
  return logits.shape[0] === 0
    ? zeros([], { dtype: logits.dtype })
    : logits.logsumexp(-1).square().mean();
}
