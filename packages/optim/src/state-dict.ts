import { StateError, Tensor } from "@gradloom/tensor";
import type { FullGroup, OptimizerOptions, ParameterState } from "./optimizer.ts";
import { snapshot } from "./snapshot.ts";

/** The state of an optimizer in PyTorch's layout. */
export interface OptimizerStateDict {
  /** By the number of the parameter, counted through all groups. */
  readonly state: Readonly<Record<string, Readonly<Record<string, Tensor | number | null>>>>;
  /** Options in snake_case, and `params`: the numbers of the parameters. */
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** Takes the state of an optimizer. */
export function saveOptimizerState<O extends OptimizerOptions>(
  groups: readonly FullGroup<O>[],
  states: ReadonlyMap<Tensor, ParameterState>,
): OptimizerStateDict {
  const numbers = new Map(groups.flatMap(({ params }) => params).map((p, i) => [p, i]));
  const state: Record<string, Record<string, Tensor | number>> = {};
  for (const [parameter, index] of numbers) {
    const remembered = states.get(parameter);
    if (remembered === undefined) continue;
    const { step, moments } = remembered;
    state[index] = step === undefined ? {} : { step };
    for (const [name, moment] of moments) state[index][name] = snapshot(moment);
  }
  return {
    state,
    param_groups: groups.map(({ params, ...options }) => {
      const named = Object.entries(options).map(([name, value]) => [snakeCase(name), value]);
      return { ...Object.fromEntries(named), params: params.map((p) => numbers.get(p)) };
    }),
  };
}

/** What a state dict means for the parameters of an optimizer. */
export interface LoadedState<O extends OptimizerOptions> {
  readonly groups: readonly FullGroup<O>[];
  readonly states: ReadonlyMap<Tensor, ParameterState>;
}

/**
 * Reads a state dict. Options that the optimizer does not have, such as PyTorch's `foreach`, are
 * left out.
 *
 * @throws StateError that lists everything that does not fit.
 */
export function loadOptimizerState<O extends OptimizerOptions>(
  op: string,
  momentNames: readonly string[],
  groups: readonly FullGroup<O>[],
  dict: OptimizerStateDict,
): LoadedState<O> {
  const isDict: boolean =
    isObject(dict) &&
    isObject(dict.state) &&
    Array.isArray(dict.param_groups) &&
    dict.param_groups.every(isObject);
  if (!isDict) throw failure(op, ["no state and param_groups"]);
  const saved = dict.param_groups.map(({ params }) => (Array.isArray(params) ? params : []));
  const sizes = [groups.map(({ params }) => params.length), saved.map((params) => params.length)];
  if (String(sizes[0]) !== String(sizes[1])) {
    throw failure(op, [
      `groups of ${sizes[1].join(", ")} parameters instead of ${sizes[0].join(", ")}`,
    ]);
  }
  const parameters = new Map<string, Tensor>();
  groups.forEach(({ params }, g) => {
    params.forEach((parameter, i) => {
      parameters.set(String(saved[g][i]), parameter);
    });
  });

  const problems: string[] = [];
  const states = new Map<Tensor, ParameterState>();
  for (const [number, entries] of Object.entries(dict.state)) {
    const parameter = parameters.get(number);
    if (parameter === undefined)
      problems.push(`a state for parameter ${number}, which no group has`);
    else states.set(parameter, readState(parameter, number, entries, momentNames, problems));
  }
  const options = groups.map((group, g) => readOptions(group, dict.param_groups[g], problems));
  if (problems.length > 0) throw failure(op, problems);
  return { groups: options, states };
}

/** A group with the options that were saved. */
function readOptions<O extends OptimizerOptions>(
  group: FullGroup<O>,
  saved: Readonly<Record<string, unknown>>,
  problems: string[],
): FullGroup<O> {
  const names = [...Object.keys(group), "initialLr"].filter((name) => name !== "params");
  const known = names.filter((name) => Object.hasOwn(saved, snakeCase(name)));
  const values = known.map((name) => {
    const value = saved[snakeCase(name)];
    // Newer versions of PyTorch may keep a learning rate as a tensor.
    const plain = value instanceof Tensor && value.numel === 1 ? value.itemSync() : value;
    const present = Object.hasOwn(group, name) ? Reflect.get(group, name) : group.lr;
    // PyTorch writes null for a choice that was not made.
    const isLike = plain === null ? typeof present === "string" : kind(plain) === kind(present);
    if (!isLike) problems.push(`${snakeCase(name)}: ${kind(plain)} instead of ${kind(present)}`);
    return [name, plain];
  });
  return { ...group, ...Object.fromEntries(values) };
}

function kind(value: unknown): string {
  return Array.isArray(value) ? `a list of ${value.length}` : typeof value;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function readState(
  parameter: Tensor,
  number: string,
  entries: Readonly<Record<string, Tensor | number | null>>,
  momentNames: readonly string[],
  problems: string[],
): ParameterState {
  const moments = new Map<string, Tensor>();
  let step: number | undefined;
  if (!isObject(entries)) problems.push(`parameter ${number}: no state`);
  for (const [name, value] of Object.entries(entries ?? {})) {
    if (value === null || value === undefined) continue;
    if (name === "step" && (typeof value === "number" || value.numel === 1)) {
      step = typeof value === "number" ? value : value.itemSync();
    } else if (!momentNames.includes(name) || !(value instanceof Tensor)) {
      problems.push(`${name} of parameter ${number}, which is not known here`);
    } else if (String(value.shape) !== String(parameter.shape)) {
      const [got, wanted] = [value, parameter].map(({ shape }) => `[${shape.join(", ")}]`);
      problems.push(`${name} of parameter ${number}: shape ${got} instead of ${wanted}`);
    } else {
      moments.set(name, snapshot(value, parameter));
    }
  }
  return { step, moments };
}

function failure(op: string, problems: readonly string[]): StateError {
  return new StateError(
    `loadStateDict: the state dict must fit the parameters of ${op}, got\n  ${problems.join("\n  ")}\nNothing was loaded.`,
    { op: "loadStateDict" },
  );
}

/** `weightDecay` → `weight_decay`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
