import { full, live, noGrad, onEachRun, settle, Tensor, watch } from "@gradloom/tensor";
import { checkParameters, toGroups } from "./parameter-groups.ts";
import { loadOptimizerState, type OptimizerStateDict, saveOptimizerState } from "./state-dict.ts";

/** What every optimizer can be told. Options of a group may be changed between steps. */
export interface OptimizerOptions {
  /** The learning rate. */
  lr: number;
}

/** Parameters with options of their own; what is missing comes from the optimizer's options. */
export type ParameterGroup<O extends OptimizerOptions> = Partial<O> & {
  readonly params: Iterable<Tensor>;
};

/** What an optimizer is made for: parameters, or groups of them. */
export type Parameters<O extends OptimizerOptions> = Iterable<Tensor> | Iterable<ParameterGroup<O>>;

/** A group with all its options. */
export type FullGroup<O extends OptimizerOptions> = O & {
  readonly params: readonly Tensor[];
  /** The learning rate that schedules start from; the first schedule keeps it here. */
  initialLr?: number;
};

/** What an optimizer remembers of one parameter. */
export interface ParameterState {
  /** How many steps the parameter has taken, if that is counted. */
  step: number | undefined;
  /** Averages and the like, in the parameter's shape, by PyTorch's names. */
  readonly moments: Map<string, Tensor>;
  /** What {@link Optimizer.numbers} made, and for which options. */
  numbers?: { readonly options: object; readonly byName: Readonly<Record<string, Tensor>> };
}

/** Options whose values are asked for at each run. */
const asked: ReadonlySet<string> = new Set(["params", "lr", "initialLr", "betas"]);

/** A compiled step is recorded anew where another option has changed; of a momentum, whether there is one. */
function watchOptions(group: object): void {
  for (const name of Object.keys(group)) {
    if (asked.has(name)) continue;
    const read = (): unknown => Reflect.get(group, name);
    watch(name === "momentum" ? () => read() === 0 : read);
  }
}

/**
 * Changes parameters so that the loss becomes smaller. A subclass says how, for one parameter.
 *
 * A training step is `optimizer.zeroGrad()`, `loss.backward()`, `optimizer.step()`: the last one
 * runs all that was recorded, forward, backward and update, in one plan. Parameters whose gradient
 * is `null` stay as they are.
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  /** The parameters with their options. */
  readonly paramGroups: FullGroup<O>[];
  /** The names of the moments that the optimizer keeps, as in PyTorch's state dicts. */
  protected abstract readonly momentNames: readonly string[];
  readonly #states: Map<Tensor, ParameterState> = new Map();
  readonly #defaults: O;
  /** What takes a step now. */
  #counted: ParameterState[] = [];
  /** How often groups were added or a state was loaded: a compiled step is recorded anew then. */
  #changes = 0;

  /**
   * @throws ArgumentError if there are no parameters, one is listed twice, one is not a floating
   *   leaf, or an option is out of its range.
   */
  constructor(params: Parameters<O>, options: O) {
    this.#defaults = options;
    this.paramGroups = this.#checked([], toGroups(this.constructor.name, params, options));
  }

  /**
   * Adds parameters in the middle of training, such as those of a layer that was frozen so far.
   *
   * @throws ArgumentError if one is in a group already, is not a floating leaf, or an option is out of its range.
   */
  addParamGroup(group: ParameterGroup<O>): void {
    const added = toGroups(this.constructor.name, [group], this.#defaults);
    this.paramGroups.push(...this.#checked(this.paramGroups, added));
    this.#changes += 1;
  }

  #checked(present: readonly FullGroup<O>[], added: FullGroup<O>[]): FullGroup<O>[] {
    checkParameters(this.constructor.name, [...present, ...added]);
    for (const group of added) this.checkOptions(group);
    settle(added.flatMap(({ params }) => params.map(inPlace)));
    return added;
  }

  /** @throws ArgumentError if an option is out of its range. */
  protected abstract checkOptions(options: O): void;

  /** Records the new values of a parameter and of its moments. */
  protected abstract update(parameter: Tensor, gradient: Tensor, options: O): void;

  /** Updates all parameters that have a gradient, and computes all that was recorded. */
  step(): void {
    const updated: Tensor[] = [];
    const counted: ParameterState[] = [];
    this.#counted = counted;
    watch(() => this.#changes);
    noGrad(() => {
      for (const group of this.paramGroups) {
        watchOptions(group);
        for (const parameter of group.params) {
          const gradient = parameter.peekGrad();
          if (gradient === null) continue;
          this.update(parameter, gradient, group);
          updated.push(parameter);
        }
      }
    });
    settle(updated);
    // Afterwards: where that fails, nothing has changed.
    onEachRun(() => {
      for (const state of counted) state.step = stepsOf(state) + 1;
    });
  }

  /** Forgets the gradients: they become `null`. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) {
      for (const parameter of params) parameter.grad = null;
    }
  }

  /** The learning rate of the first group. Setting it sets that of all groups. */
  get lr(): number {
    return this.paramGroups[0].lr;
  }

  set lr(lr: number) {
    for (const group of this.paramGroups) this.checkOptions({ ...group, lr });
    for (const group of this.paramGroups) group.lr = lr;
  }

  /**
   * All that is needed to go on later, with PyTorch's names and layout: `state` by the number of
   * the parameter, and `param_groups`. Later steps do not change what was taken.
   */
  stateDict(): OptimizerStateDict {
    return saveOptimizerState(this.paramGroups, this.#states);
  }

  /**
   * Goes on from a state dict, also from one of PyTorch. Parameters are matched by their order.
   *
   * @throws StateError that lists everything that does not fit; ArgumentError if an option is out
   *   of its range. Then nothing has changed.
   */
  loadStateDict(dict: OptimizerStateDict): void {
    const loaded = loadOptimizerState(
      this.constructor.name,
      this.momentNames,
      this.paramGroups,
      dict,
    );
    for (const group of loaded.groups) this.checkOptions(group);
    this.paramGroups.forEach((group, i) => {
      Object.assign(group, loaded.groups[i]);
    });
    this.#changes += 1;
    this.#states.clear();
    for (const [parameter, state] of loaded.states) this.#states.set(parameter, state);
    settle([...loaded.states.values()].flatMap((state) => [...state.moments.values()]));
  }

  /**
   * Counts a step of a parameter, also whenever a compiled function takes it again, and gives how many
   * there are with it, 1 at the first: to be asked while the step is computed.
   */
  protected countStep(parameter: Tensor): () => number {
    const state = this.#stateOf(parameter);
    this.#counted.push(state);
    return () => stepsOf(state) + 1;
  }

  /**
   * The numbers of a formula, by name. Each is asked for at every run: a schedule may change options, and so may
   * the count of steps. They are made at the first step of a parameter; later ones record nothing for them.
   */
  protected numbers<Name extends string>(
    parameter: Tensor,
    options: O,
    make: () => Readonly<Record<Name, () => number>>,
  ): Readonly<Record<Name, Tensor>> {
    const state = this.#stateOf(parameter);
    if (state.numbers?.options !== options) {
      const values = Object.entries<() => number>(make());
      const byName = Object.fromEntries(values.map(([name, f]) => [name, live(f, parameter)]));
      state.numbers = { options, byName };
    }
    return state.numbers.byName as Record<Name, Tensor>;
  }

  /** Whether a moment of a parameter is there already. */
  protected hasMoment(parameter: Tensor, name: string): boolean {
    return this.#states.get(parameter)?.moments.has(name) ?? false;
  }

  /** A moment of a parameter, to read and to assign to. It starts with `initial` everywhere. */
  protected moment(parameter: Tensor, name: string, initial: number = 0): Tensor {
    const { moments } = this.#stateOf(parameter);
    let moment = moments.get(name);
    if (moment === undefined) {
      const { shape, dtype } = parameter;
      moment = inPlace(full(shape, initial, { dtype }));
      moments.set(name, moment);
    }
    return moment;
  }

  #stateOf(parameter: Tensor): ParameterState {
    let state = this.#states.get(parameter);
    if (state === undefined) {
      state = { step: undefined, moments: new Map() };
      this.#states.set(parameter, state);
    }
    return state;
  }
}

function stepsOf({ step = 0 }: ParameterState): number {
  return step;
}

/**
 * The same value in place. That it is so before the first step, and computed, makes the first step
 * one like all others, which share its plan.
 */
function inPlace(tensor: Tensor): Tensor {
  return new Tensor(tensor);
}
