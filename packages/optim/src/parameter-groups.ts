import { ArgumentError, checkOptions, Tensor } from "@gradloom/tensor";
import type { FullGroup, OptimizerOptions, ParameterGroup, Parameters } from "./optimizer.ts";

/** Groups with all their options. A plain list of parameters is one group. */
export function toGroups<O extends OptimizerOptions>(
  op: string,
  params: Parameters<O>,
  options: O,
): FullGroup<O>[] {
  const tensors: Tensor[] = [];
  const groups: ParameterGroup<O>[] = [];
  for (const item of iterate<Tensor | ParameterGroup<O>>(op, params)) {
    if (item instanceof Tensor) tensors.push(item);
    else if (item?.params === undefined) throw noParameters(op, `${describe(item)} in a list`);
    else groups.push(item);
  }
  if (tensors.length > 0 && groups.length > 0) {
    throw new ArgumentError(
      `${op}: parameters and groups must not be mixed. Use one or the other.`,
      {
        op,
      },
    );
  }
  // First the parameters, then what is copied: V8 gives each copy that something is added to a hidden class of its own,
  // and code that was optimized for one group would not do for the next.
  if (groups.length === 0) return [{ params: tensors, ...options }];
  return groups.map(({ params: list, ...group }) => {
    checkOptions(op, group, { ...options, initialLr: true });
    const given = Object.entries(group).filter(([, value]) => value !== undefined);
    return { params: [...iterate(op, list)], ...options, ...Object.fromEntries(given) };
  });
}

/** A list of parameters. @throws ArgumentError if it is something else, such as the model itself or its named parameters. */
export function tensorsOf(op: string, params: Iterable<Tensor>): Tensor[] {
  const tensors = [...iterate(op, params)];
  const other = tensors.find((item) => !(item instanceof Tensor));
  if (other !== undefined) throw noParameters(op, `${describe(other)} in a list`);
  return tensors;
}

function iterate<T>(op: string, params: Iterable<T>): Iterable<T> {
  if (typeof params === "object" && params !== null && Symbol.iterator in params) return params;
  throw noParameters(op, describe(params));
}

function noParameters(op: string, got: string): ArgumentError {
  return new ArgumentError(
    `${op}: parameters must be a list of tensors, got ${got}. Pass model.parameters().`,
    { op },
  );
}

/**
 * @throws ArgumentError if there are no parameters, one is listed twice, or one is not a floating
 *   leaf.
 */
export function checkParameters(
  op: string,
  groups: readonly { readonly params: readonly unknown[] }[],
): void {
  const seen = new Set<unknown>();
  for (const [g, { params }] of groups.entries()) {
    for (const [i, parameter] of params.entries()) {
      const problem = seen.has(parameter)
        ? "must be listed once, got one again"
        : problemOf(parameter);
      seen.add(parameter);
      if (problem === undefined) continue;
      const where = groups.length === 1 ? `number ${i}` : `number ${i} of group ${g}`;
      throw new ArgumentError(`${op}: parameters ${problem} as ${where}.`, { op });
    }
  }
  if (seen.size === 0) {
    throw new ArgumentError(`${op}: there must be parameters, got an empty list.`, { op });
  }
}

function problemOf(parameter: unknown): string | undefined {
  if (!(parameter instanceof Tensor)) return `must be tensors, got ${describe(parameter)}`;
  if (!parameter.isLeaf) return "must be leaves, got the result of an operation";
  if (parameter.dtype === "float32" || parameter.dtype === "float64") return undefined;
  return `must be floating, got ${parameter.dtype}`;
}

/** What something is, for messages. */
export function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const name = value.constructor?.name ?? "Object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
