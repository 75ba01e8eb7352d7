import { ArgumentError, ones } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { auxLossOf, balanceLoss, Experts, zLoss } from "../src/index.ts";

test("what is no model, and no tensor", () => {
  const wrong = [1] as never;
  expect(() => auxLossOf(undefined as never)).toThrow(ArgumentError);
  expect(() => auxLossOf(undefined as never)).toThrow("the model must be a module, got undefined.");
  expect(() => balanceLoss(wrong, ones([1]))).toThrow("balanceLoss: it must be given a tensor");
  expect(() => balanceLoss(ones([1, 1]), wrong)).toThrow("balanceLoss: it must be given a tensor");
  expect(() => zLoss(wrong)).toThrow("zLoss: it must be given a tensor, got an array.");
  expect(() => Reflect.construct(Experts, [2, 2, 2, 2, { act: "relu" }])).toThrow(
    "Experts: options must be among activation, got act.",
  );
});
