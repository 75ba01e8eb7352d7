export { Adam, type AdamOptions } from "./adam.ts";
export { AdamW } from "./adam-w.ts";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip-grad.ts";
export {
  type FullGroup,
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type Parameters,
} from "./optimizer.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { OptimizerStateDict } from "./state-dict.ts";
