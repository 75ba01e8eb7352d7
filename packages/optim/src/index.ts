export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { Adam, type AdamOptions } from "./adam.ts";
export { AdamW } from "./adam-w.ts";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip-grad.ts";
export { CosineAnnealingLR, type CosineAnnealingLROptions } from "./cosine-annealing-lr.ts";
export { ExponentialLR } from "./exponential-lr.ts";
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageStateDict,
} from "./exponential-moving-average.ts";
export { LinearLR, type LinearLROptions } from "./linear-lr.ts";
export { Lion, type LionOptions } from "./lion.ts";
export {
  LRSchedule,
  type LRScheduleOptions,
  type Schedule,
  type ScheduleState,
} from "./lr-schedule.ts";
export { MultiStepLR, type MultiStepLROptions } from "./multi-step-lr.ts";
export { Muon, type MuonOptions, type MuonRate } from "./muon.ts";
export { NoamLR } from "./noam-lr.ts";
export { OneCycleLR, type OneCycleLROptions } from "./one-cycle-lr.ts";
export {
  type FullGroup,
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type Parameters,
} from "./optimizer.ts";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./reduce-lr-on-plateau.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export { SequentialLR } from "./sequential-lr.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { OptimizerStateDict } from "./state-dict.ts";
export { StepLR, type StepLROptions } from "./step-lr.ts";
export { WarmupCosineLR, type WarmupCosineLROptions } from "./warmup-cosine-lr.ts";
