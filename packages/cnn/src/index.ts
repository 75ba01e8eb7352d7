export { BasicBlock, type BasicBlockOptions } from "./basic-block.ts";
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from "./batch-norm.ts";
export { CNN, type CNNOptions } from "./cnn.ts";
export {
  Conv1d,
  Conv2d,
  type ConvOptions,
  ConvTranspose2d,
  type ConvTransposeOptions,
} from "./conv.ts";
export { Dropout2d } from "./dropout-2d.ts";
export { GroupNorm, type GroupNormOptions } from "./group-norm.ts";
export {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool2d,
  AvgPool2d,
  type AvgPoolOptions,
  MaxPool2d,
  type MaxPoolOptions,
  type OutputSize,
  type PoolOptions,
} from "./pool.ts";
export { type ReceptiveField, receptiveField } from "./receptive-field.ts";
export { ResNet, type ResNetOptions } from "./resnet.ts";
export { Upsample, type UpsampleOptions } from "./upsample.ts";
