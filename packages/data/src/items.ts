import { refusal } from "./argument.ts";
import type { Items } from "./dataset.ts";

/** A dataset, or what stands for one. */
export type ItemsOrList<T> = Items<T> | readonly T[];

/**
 * The items of a dataset or a list.
 *
 * @param or - What else there may be, for the message.
 * @throws ArgumentError for what is neither.
 */
export function itemsOf<T>(op: string, dataset: ItemsOrList<T>, or = ""): Items<T> {
  if (isList(dataset)) return { length: dataset.length, get: (index) => dataset[index] };
  if (typeof dataset?.get === "function" && Number.isInteger(dataset.length)) return dataset;
  const got = describe(dataset);
  throw refusal(op, `the dataset must be a list, or have length and get${or}, got ${got}`);
}

function isList<T>(dataset: ItemsOrList<T>): dataset is readonly T[] {
  return Array.isArray(dataset);
}

/** What something is, for messages. */
function describe(value: unknown): string {
  return typeof value === "object" && value !== null
    ? `${value.constructor?.name ?? "an object"} without`
    : String(value);
}
