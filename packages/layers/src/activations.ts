import { checkOptions, type Tensor } from "@gradloom/tensor";
import { Module } from "./module.ts";

/** `y = max(x, 0)`. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** Options of {@link LeakyReLU}. */
export interface LeakyReLUOptions {
  /** Default 0.01. */
  readonly negativeSlope?: number;
}

/** `y = x` where `x > 0`, else `negativeSlope · x`. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(options: LeakyReLUOptions = {}) {
    super();
    checkOptions("LeakyReLU", options, { negativeSlope: true });
    this.negativeSlope = options.negativeSlope ?? 0.01;
  }

  forward(x: Tensor): Tensor {
    return x.leakyRelu({ negativeSlope: this.negativeSlope });
  }

  override describe(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/** Options of {@link ELU}. */
export interface ELUOptions {
  /** Default 1. */
  readonly alpha?: number;
}

/**
 * `y = x` where `x > 0`, else `alpha · (eˣ − 1)`. Clevert et al. 2015,
 * https://arxiv.org/abs/1511.07289
 */
export class ELU extends Module {
  readonly alpha: number;

  constructor(options: ELUOptions = {}) {
    super();
    checkOptions("ELU", options, { alpha: true });
    this.alpha = options.alpha ?? 1;
  }

  forward(x: Tensor): Tensor {
    return x.elu({ alpha: this.alpha });
  }

  override describe(): string {
    return `alpha=${this.alpha}`;
  }
}

/** Options of {@link GELU}. */
export interface GELUOptions {
  /** `'none'` (default) is exact, `'tanh'` is the formula that GPT-2 uses. */
  readonly approximate?: "none" | "tanh";
}

/**
 * `y = x · Φ(x)`, with the distribution function Φ of the normal distribution. Hendrycks & Gimpel
 * 2016, https://arxiv.org/abs/1606.08415
 */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(options: GELUOptions = {}) {
    super();
    checkOptions("GELU", options, { approximate: true });
    this.approximate = options.approximate ?? "none";
  }

  forward(x: Tensor): Tensor {
    return x.gelu({ approximate: this.approximate });
  }

  override describe(): string {
    return `approximate=${this.approximate}`;
  }
}

/** `y = x · σ(x)`, also called swish. */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** `y = 1 / (1 + e⁻ˣ)`. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** `y = tanh(x)`. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** Options of {@link Softplus}. */
export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number;
  /** Default 20. */
  readonly threshold?: number;
}

/** `y = log(1 + e^(beta · x)) / beta`, and `x` where `beta · x > threshold`. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options: SoftplusOptions = {}) {
    super();
    checkOptions("Softplus", options, { beta: true, threshold: true });
    this.beta = options.beta ?? 1;
    this.threshold = options.threshold ?? 20;
  }

  forward(x: Tensor): Tensor {
    return x.softplus({ beta: this.beta, threshold: this.threshold });
  }

  override describe(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/** `y = x · min(max(x + 3, 0), 6) / 6`. Howard et al. 2019, https://arxiv.org/abs/1905.02244 */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return x.hardswish();
  }
}

/** `y = x · tanh(softplus(x))`. Misra 2019, https://arxiv.org/abs/1908.08681 */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return x.mish();
  }
}

/** `yᵢ = e^xᵢ / Σⱼ e^xⱼ` along an axis. */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return x.softmax(this.dim);
  }

  override describe(): string {
    return `dim=${this.dim}`;
  }
}

/** `yᵢ = xᵢ − log Σⱼ e^xⱼ` along an axis. */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  forward(x: Tensor): Tensor {
    return x.logSoftmax(this.dim);
  }

  override describe(): string {
    return `dim=${this.dim}`;
  }
}
