import { DataLoader, TensorDataset } from "@gradloom/data";
import { arange } from "@gradloom/tensor";

async function batches(): Promise<unknown[]> {
  const loader = new DataLoader(new TensorDataset(arange(5)), { batchSize: 2 });
  const seen: unknown[] = [];
  for await (const [x] of loader) seen.push(await x.array());
  return seen;
}

export const result: unknown = batches();
export const expected: unknown = [[0, 1], [2, 3], [4]];
