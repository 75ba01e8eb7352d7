import { noGrad, realize, tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { Linear, Sequential } from "../src/index.ts";

test("an error about a parameter that has changed says which one", () => {
  const model = new Sequential(new Linear(2, 2), new Linear(2, 1));
  const [, , weight] = model.parameters();
  const early = weight.mul(2);
  early.add(1);
  noGrad(() => weight.assign(tensor([[1, 2]])));
  realize(weight);
  expect(() => early.arraySync()).toThrow("depends on 1.weight, which has changed");
});
