import { BatchNorm2d, CNN, Conv2d, receptiveField } from "@gradloom/cnn";
import { ones } from "@gradloom/tensor";

const conv = new Conv2d(1, 2, 3, { padding: 1 });
const y = new BatchNorm2d(2).forward(conv.forward(ones([2, 1, 4, 4])));
const model = new CNN({ inChannels: 1, numClasses: 10 });

export const result: unknown = [
  y.shape,
  receptiveField(model.features.at(0)!),
  model.forward(ones([2, 1, 8, 8])).shape,
];
export const expected: unknown = [
  [2, 2, 4, 4],
  { size: [3, 3], stride: [1, 1], padding: [1, 1] },
  [2, 10],
];
