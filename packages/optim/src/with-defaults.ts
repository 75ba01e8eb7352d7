import { checkOptions } from "@gradloom/tensor";

/**
 * Options, completed.
 *
 * @throws ArgumentError if they are no object, or there is one without a default: it would be ignored.
 */
export function withDefaults<Options extends object>(
  op: string,
  options: Options,
  defaults: Required<Options>,
): Required<Options> {
  checkOptions(op, options, defaults);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
