import { noGrad, type Tensor } from "@gradloom/tensor";

/** A tensor of its own with the value as it is now, in the dtype of `like`. */
export function snapshot(value: Tensor, like: Tensor = value): Tensor {
  return noGrad(() => value.detach().to(like.dtype).clone());
}
