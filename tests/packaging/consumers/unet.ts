import { ones } from "@gradloom/tensor";
import { UNet } from "@gradloom/unet";

const model = new UNet({ inChannels: 1, numClasses: 2, baseChannels: 2, depth: 1 });

export const result: unknown = [
  model.forward(ones([1, 1, 5, 6])).shape,
  Object.keys(model.stateDict())[0],
];
export const expected: unknown = [[1, 2, 5, 6], "inc.double_conv.0.weight"];
