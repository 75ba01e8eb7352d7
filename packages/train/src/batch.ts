import { ArgumentError, Tensor } from "@gradloom/tensor";

/** What a step learns from: what goes in, and what should come out. Each a tensor, or tensors in lists or objects. */
export type Batch<Input = Tensor, Target = Tensor> = readonly [input: Input, target: Target];

/** Batches, once an epoch: a `DataLoader`, a list, anything that can be iterated again and again. */
export type Batches<Input = Tensor, Target = Tensor> =
  | Iterable<Batch<Input, Target>>
  | AsyncIterable<Batch<Input, Target>>;

/** @throws ArgumentError unless this can be iterated. */
export function checkBatches(op: string, data: unknown): void {
  const isIterable = (value: object) => Symbol.iterator in value || Symbol.asyncIterator in value;
  if (typeof data === "object" && data !== null && isIterable(data)) return;
  throw new ArgumentError(
    `${op}: the data must be a DataLoader, a list or another iterable of batches, got ${data === null ? "null" : typeof data}.`,
    { op },
  );
}

/** @throws ArgumentError unless this is a pair. */
export function checkBatch(op: string, batch: unknown): void {
  if (Array.isArray(batch) && batch.length === 2) return;
  const got = Array.isArray(batch) ? `a list of ${batch.length}` : typeof batch;
  throw new ArgumentError(
    `${op}: a batch must be a pair [input, target], got ${got}. Several inputs go into a list or object of their own, and into the option forward.`,
    { op },
  );
}

/** How many examples there are: the first size of the first tensor that has one. */
export function countExamples(input: unknown): number {
  return firstTensor(input)?.shape[0] ?? 1;
}

function firstTensor(value: unknown): Tensor | undefined {
  if (value instanceof Tensor) return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (const item of Object.values(value)) {
    const found = firstTensor(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
