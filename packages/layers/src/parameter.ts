import { checkOptions, requireTensor, Tensor } from "@gradloom/tensor";

/** Options of {@link Parameter}. */
export interface ParameterOptions {
  /** Whether it is trained. Default true. */
  readonly requiresGrad?: boolean;
}

/**
 * A tensor that belongs to a module and is trained: a leaf that requires a gradient, with a value
 * in place that the optimizer changes. It shares the value with the tensor it is made from.
 *
 * @throws DTypeError if it is trained and `value` is not floating.
 */
export class Parameter extends Tensor {
  constructor(value: Tensor, options: ParameterOptions = {}) {
    requireTensor("Parameter", value);
    checkOptions("Parameter", options, { requiresGrad: true });
    super(value);
    this.requiresGrad_(options.requiresGrad ?? true);
  }
}

/** Options of {@link Buffer}. */
export interface BufferOptions {
  /** Whether it is part of the state dict. Default true. */
  readonly persistent?: boolean;
}

/**
 * A tensor that belongs to a module but is not trained: running statistics, tables. It shares the
 * value with the tensor it is made from, and can be assigned to.
 */
export class Buffer extends Tensor {
  readonly persistent: boolean;

  constructor(value: Tensor, options: BufferOptions = {}) {
    requireTensor("Buffer", value);
    checkOptions("Buffer", options, { persistent: true });
    super(value);
    this.persistent = options.persistent ?? true;
  }
}
