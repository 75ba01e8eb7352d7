import * as init from "./init.ts";

export {
  type Activation,
  type ActivationName,
  activationFunction,
} from "./activation.ts";
export {
  ELU,
  type ELUOptions,
  GELU,
  type GELUOptions,
  Hardswish,
  LeakyReLU,
  type LeakyReLUOptions,
  LogSoftmax,
  Mish,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  type SoftplusOptions,
  Tanh,
} from "./activations.ts";
export { checkFinite, checkSize } from "./check.ts";
export { Dropout } from "./dropout.ts";
export { Embedding, type EmbeddingOptions } from "./embedding.ts";
export { evaluating } from "./evaluating.ts";
export { FeedForward, type FeedForwardOptions } from "./feed-forward.ts";
export { Flatten } from "./flatten.ts";
export { Identity } from "./identity.ts";
export { LayerNorm, type LayerNormOptions } from "./layer-norm.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export { MLP, type MLPOptions } from "./mlp.ts";
export { type Layer, Module } from "./module.ts";
export { ModuleDict } from "./module-dict.ts";
export { ModuleList } from "./module-list.ts";
export type { Part } from "./named-fields.ts";
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.ts";
export { Residual } from "./residual.ts";
export { RMSNorm, type RMSNormOptions } from "./rms-norm.ts";
export { Sequential } from "./sequential.ts";
export type { LoadResult } from "./state-dict.ts";
/** Initial values for parameters: `init.kaimingUniform(layer.weight)`, `init.zeros([3, 4])`. */
export { init };
