import { SGD } from "@gradloom/optim";
import { tensor } from "@gradloom/tensor";

const w = tensor([1, 2], { requiresGrad: true });
const optimizer = new SGD([w], { lr: 0.25 });
w.mul(w).sum().backward();
optimizer.step();

export const result: unknown = w.arraySync();
export const expected: unknown = [0.5, 1];
