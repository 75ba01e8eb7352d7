import { MSELoss, mseLoss } from "@gradloom/loss";
import { tensor } from "@gradloom/tensor";

const prediction = tensor([1, 2]);
const target = tensor([0, 4]);

export const result: unknown = [
  mseLoss(prediction, target).itemSync(),
  new MSELoss({ reduction: "sum" }).forward(prediction, target).itemSync(),
];
export const expected: unknown = [2.5, 5];
