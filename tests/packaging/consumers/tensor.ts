import { manualSeed, randn, type Tensor, tensor } from "@gradloom/tensor";

manualSeed(1);
const w: Tensor = tensor(
  [
    [1, 2],
    [3, 4],
  ],
  { requiresGrad: true },
);
const loss = w.mul(w).sum();
loss.backward();

export const result: unknown = [loss.itemSync(), w.grad?.arraySync(), randn([2, 3]).shape];
export const expected: unknown = [
  30,
  [
    [2, 4],
    [6, 8],
  ],
  [2, 3],
];
