import { MLP, Module } from "@gradloom/layers";
import { ones } from "@gradloom/tensor";

const model = new MLP(2, [4], 1);

export const result: unknown = [
  model instanceof Module,
  model.forward(ones([3, 2])).shape,
  model.numParameters,
];
export const expected: unknown = [true, [3, 1], 2 * 4 + 4 + 4 + 1];
