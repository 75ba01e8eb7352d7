import { argumentError } from "./errors.ts";

/**
 * For constructors, and functions with options: refuses options that there are not. They would be ignored.
 *
 * @param known - All that there are.
 * @returns The options.
 * @throws ArgumentError if they are no object, or there is one that is not known.
 */
export function checkOptions<Options extends object>(
  op: string,
  options: Options,
  known: Readonly<Record<keyof Options, unknown>>,
): Options {
  const given = options === Object(options) ? Object.keys(options) : [`${options}`];
  for (const name of given) {
    if (name in known) continue;
    throw argumentError`${op}: options must be among ${Object.keys(known).join(", ")}, got ${name}.`;
  }
  return options;
}

/** @throws ArgumentError unless a value is one of those that there are. */
export function requireOneOf<T extends string>(
  op: string,
  name: string,
  value: T,
  known: readonly T[],
): void {
  if (known.includes(value)) return;
  const list = known.map((one) => `"${one}"`).join(" or ");
  throw argumentError`${op}: ${name} must be ${list}, got ${value}.`;
}

/** @throws ArgumentError unless a number is from 0 to 1. */
export function requireProbability(op: string, name: string, p: number): void {
  if (p >= 0 && p <= 1) return;
  throw argumentError`${op}: ${name} must be in [0, 1], got ${p}.`;
}
