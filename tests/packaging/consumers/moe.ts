import { MoE } from "@gradloom/moe";
import { ones } from "@gradloom/tensor";

const moe = new MoE({ inputDim: 4, hiddenDim: 8, outputDim: 3, numExperts: 4, topK: 2 });

export const result: unknown = [
  moe.forward(ones([2, 5, 4])).shape,
  Object.keys(moe.stateDict())[0],
];
export const expected: unknown = [[2, 5, 3], "router.gate.weight"];
