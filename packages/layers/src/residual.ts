import type { Tensor } from "@gradloom/tensor";
import { checkModules } from "./containers.ts";
import { type Layer, Module } from "./module.ts";

/**
 * A way around a layer, `y = x + f(x)`.
 *
 * - Shape: `f` must keep the shape of `x`
 * - Keys: those of `f` below `module`
 * - Paper: He et al. 2015, https://arxiv.org/abs/1512.03385
 */
export class Residual extends Module {
  readonly module: Layer;

  constructor(module: Layer) {
    super();
    checkModules("Residual", [module]);
    this.module = module;
  }

  forward(x: Tensor): Tensor {
    return x.add(this.module.forward(x));
  }
}
