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
