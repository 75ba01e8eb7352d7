export { BCELoss, type BCELossOptions, bceLoss } from "./bce-loss.ts";
export {
  BCEWithLogitsLoss,
  type BCEWithLogitsLossOptions,
  bceWithLogitsLoss,
} from "./bce-with-logits-loss.ts";
export {
  CosineEmbeddingLoss,
  type CosineEmbeddingLossOptions,
  cosineEmbeddingLoss,
} from "./cosine-embedding-loss.ts";
export {
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  crossEntropyLoss,
} from "./cross-entropy-loss.ts";
export { DiceLoss, type DiceLossOptions, diceLoss } from "./dice-loss.ts";
export { FocalLoss, type FocalLossOptions, focalLoss } from "./focal-loss.ts";
export {
  HuberLoss,
  type HuberLossOptions,
  huberLoss,
  SmoothL1Loss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from "./huber-loss.ts";
export { KLDivLoss, type KLDivLossOptions, klDivLoss } from "./kl-div-loss.ts";
export { L1Loss, l1Loss } from "./l1-loss.ts";
export { MSELoss, mseLoss } from "./mse-loss.ts";
export { NLLLoss, type NLLLossOptions, nllLoss } from "./nll-loss.ts";
export type { LossOptions, Reduction } from "./reduction.ts";
export {
  TripletMarginLoss,
  type TripletMarginLossOptions,
  tripletMarginLoss,
} from "./triplet-margin-loss.ts";
