import type { Tensor } from "@gradloom/tensor";
import { Module } from "./module.ts";

/** Gives what it gets, `y = x`. Takes the place of a layer that is switched off. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}
