import { ArgumentError, noGrad, realize, StateError, Tensor } from "@gradloom/tensor";

/** What `loadStateDict` could not use. */
export interface LoadResult {
  /** Keys of the module that the state dict does not have. */
  readonly missingKeys: readonly string[];
  /** Keys of the state dict that the module does not have. */
  readonly unexpectedKeys: readonly string[];
}

/**
 * Copies the values of a state dict into parameters and buffers, after everything has been checked.
 */
export function loadInto(
  name: string,
  targets: readonly (readonly [key: string, target: Tensor])[],
  dict: Readonly<Record<string, Tensor>>,
  strict: boolean,
): LoadResult {
  if (dict !== Object(dict) || dict instanceof Promise) {
    const got = dict instanceof Promise ? "a promise. Await it" : `${dict}`;
    throw new ArgumentError(`loadStateDict: a state dict must be given, got ${got}.`, {
      op: "loadStateDict",
    });
  }
  const expected = new Set(targets.map(([key]) => key));
  const missingKeys = targets.map(([key]) => key).filter((key) => !Object.hasOwn(dict, key));
  const unexpectedKeys = Object.keys(dict).filter((key) => !expected.has(key));
  const given = targets.filter(([key]) => Object.hasOwn(dict, key));
  const misfits = given.flatMap(([key, target]) => misfit(key, target, dict[key]));

  const problems = [
    ...(strict && missingKeys.length > 0 ? [`missing: ${missingKeys.join(", ")}`] : []),
    ...(strict && unexpectedKeys.length > 0 ? [`unexpected: ${unexpectedKeys.join(", ")}`] : []),
    ...misfits,
  ];
  if (problems.length > 0) {
    const lenient = misfits.length === 0 ? " To load what fits, pass { strict: false }." : "";
    throw new StateError(
      `loadStateDict: the state dict must fit ${name}, got\n  ${problems.join("\n  ")}\n` +
        `Nothing was loaded.${lenient}`,
      { op: "loadStateDict" },
    );
  }

  noGrad(() => {
    for (const [key, target] of given) target.assign(dict[key].to(target.dtype));
  });
  // The values are copied now: a first step after loading is like all others, and the dict can go.
  realize(...given.map(([, target]) => target));
  return { missingKeys, unexpectedKeys };
}

function misfit(key: string, target: Tensor, value: unknown): string[] {
  if (!(value instanceof Tensor)) return [`${key}: not a tensor (${typeof value})`];
  const same =
    value.ndim === target.ndim && value.shape.every((size, axis) => size === target.shape[axis]);
  if (same) return [];
  return [`${key}: shape [${value.shape.join(", ")}] instead of [${target.shape.join(", ")}]`];
}
