import { Module } from "@gradloom/layers";
import type {
  ExponentialMovingAverage,
  Optimizer,
  OptimizerOptions,
  Schedule,
} from "@gradloom/optim";
import { ArgumentError, checkOptions, ShapeError, Tensor } from "@gradloom/tensor";
import { type Batch, countExamples } from "./batch.ts";
import type { Callback } from "./callback.ts";
import { Metric, type MetricValue } from "./metric.ts";

/** What says how wrong a prediction is: a criterion, or a function. The result is one number. */
export type Criterion<Prediction, Target> =
  | ((prediction: Prediction, target: Target) => Tensor)
  | (Module & { forward(prediction: Prediction, target: Target): Tensor });

/** Metrics under their own names, or under others. */
export type Metrics<Prediction, Target> =
  | readonly Metric<MetricValue, Prediction, Target>[]
  | Readonly<Record<string, Metric<MetricValue, Prediction, Target>>>;

/** Options of {@link Trainer}. */
export type TrainerOptions<Input, Target, Prediction> = CommonOptions<Input, Target, Prediction> &
  ForwardOptions<Input, Prediction>;

/** A model that takes the input of a batch as it is; or any model, and how it is called. */
export type ForwardOptions<Input, Prediction> =
  | {
      readonly model: Module & { forward(input: Input): Prediction };
      readonly forward?: undefined;
    }
  | {
      readonly model: Module;
      /** The prediction for the input of a batch: `([src, tgt]) => model.forward(src, tgt)`. */
      readonly forward: (input: Input) => Prediction;
    };

/** What a {@link Trainer} can be told besides the model. */
export interface CommonOptions<Input, Target, Prediction> {
  readonly loss: Criterion<Prediction, Target>;
  /** Made for the parameters of the model. */
  readonly optimizer: Optimizer<OptimizerOptions>;
  readonly schedule?: Schedule;
  /** When the schedule steps. Default: what it says itself, so each step for `OneCycleLR`, else each epoch. */
  readonly scheduleInterval?: "step" | "epoch";
  readonly metrics?: Metrics<Prediction, Target>;
  readonly callbacks?: readonly Callback[];
  /** The largest norm of all gradients together. Default: none. */
  readonly clipGradNorm?: number;
  /** The largest size of an element of a gradient. Default: none. */
  readonly clipGradValue?: number;
  /** How many batches make a step, as if they were one. Default 1. */
  readonly accumulate?: number;
  /** Averages of the parameters, updated with each step; validation and `evaluate` use them. */
  readonly average?: ExponentialMovingAverage;
  /** The loss or metric that counts for `ReduceLROnPlateau`, early stopping and the best checkpoint. Default `"loss"`. */
  readonly monitor?: string;
  /**
   * Of how many terms the loss of a batch is the mean: how much it counts beside others. Default: its examples. A loss
   * that leaves out some targets needs it, for accumulation to be exact.
   */
  readonly count?: (input: Input, target: Target) => number;
}

/** A trainer's options, checked and completed. */
export class Setup<Input, Target, Prediction> {
  readonly model: Module;
  readonly optimizer: Optimizer<OptimizerOptions>;
  readonly schedule: Schedule | undefined;
  readonly scheduleInterval: "step" | "epoch";
  readonly metrics: ReadonlyMap<string, Metric<MetricValue, Prediction, Target>>;
  readonly callbacks: readonly Callback[];
  readonly clipGradNorm: number | undefined;
  readonly clipGradValue: number | undefined;
  readonly accumulate: number;
  readonly average: ExponentialMovingAverage | undefined;
  readonly monitor: string;
  /** Whether the loss is a sum over examples, not their mean. */
  readonly isSum: boolean;
  readonly #options: TrainerOptions<Input, Target, Prediction>;

  constructor(options: TrainerOptions<Input, Target, Prediction>) {
    checkOptions("Trainer", options, {
      model: true,
      forward: true,
      loss: true,
      optimizer: true,
      schedule: true,
      scheduleInterval: true,
      metrics: true,
      callbacks: true,
      clipGradNorm: true,
      clipGradValue: true,
      accumulate: true,
      average: true,
      monitor: true,
      count: true,
    });
    const { loss, schedule, metrics = [], callbacks = [], accumulate = 1 } = options;
    for (const name of ["model", "loss", "optimizer"] as const) {
      if (!options[name]) throw failure(`${name} must be given, got ${options[name]}`);
    }
    if (!(options.model instanceof Module))
      throw failure(`model must be a Module, got ${options.model}`);
    if (typeof loss !== "function" && typeof loss.forward !== "function") {
      throw failure(`loss must be a module or a function, got ${loss}. Pass new MSELoss(), say`);
    }
    if (!Array.isArray(callbacks) || callbacks.some((one) => Object(one) !== one)) {
      throw failure(`callbacks must be a list of objects, got ${callbacks}`);
    }
    this.#options = options;
    this.model = options.model;
    this.optimizer = options.optimizer;
    this.schedule = schedule;
    this.scheduleInterval = options.scheduleInterval ?? schedule?.interval ?? "epoch";
    this.metrics = named(metrics);
    this.callbacks = callbacks;
    this.clipGradNorm = options.clipGradNorm;
    this.clipGradValue = options.clipGradValue;
    this.accumulate = accumulate;
    this.average = options.average;
    this.monitor = options.monitor ?? "loss";
    const names = ["loss", ...this.metrics.keys()];
    if (!names.includes(this.monitor)) {
      throw failure(`monitor must be one of ${names.join(", ")}, got ${this.monitor}`);
    }
    const reduction = "reduction" in loss ? loss.reduction : "mean";
    this.isSum = reduction === "sum";
    if (!Number.isInteger(accumulate) || accumulate < 1) {
      throw failure(`accumulate must be a positive integer, got ${accumulate}`);
    }
    if (reduction === "none") {
      throw failure('the loss must be one number, got reduction "none". Use "mean" or "sum"');
    }
    checkParameters(this.model, this.optimizer);
    const keys = callbacks.flatMap(({ key }) => (key === undefined ? [] : [key]));
    const twice = keys.find((key, i) => keys.indexOf(key) !== i);
    if (twice !== undefined)
      throw failure(`callbacks must have keys of their own, got ${twice} twice`);
  }

  forward(input: Input): Prediction {
    const { forward, model } = this.#options;
    return forward === undefined ? model.forward(input) : forward(input);
  }

  /** @throws ShapeError if it is not one number. */
  loss(op: string, prediction: Prediction, target: Target): Tensor {
    const criterion = this.#options.loss;
    const loss =
      typeof criterion === "function"
        ? criterion(prediction, target)
        : criterion.forward(prediction, target);
    if (!(loss instanceof Tensor)) {
      const got = loss === null ? "null" : (Object(loss).constructor?.name ?? typeof loss);
      throw new ArgumentError(
        `${op}: the loss must be a tensor, got ${got}. What it returns must not be a promise or a number.`,
        { op },
      );
    }
    if (loss.ndim === 0) return loss;
    throw new ShapeError(
      `${op}: the loss must be one number, got [${loss.shape.join(", ")}]. Reduce it with mean() or sum().`,
      { op, shapes: [loss.shape] },
    );
  }

  /** How much the loss of a batch counts beside those of others. */
  weight([input, target]: Batch<Input, Target>): number {
    if (this.isSum) return 1;
    return this.#options.count?.(input, target) ?? countExamples(input);
  }
}

function named<Prediction, Target>(
  metrics: Metrics<Prediction, Target>,
): ReadonlyMap<string, Metric<MetricValue, Prediction, Target>> {
  const pairs = isList(metrics)
    ? metrics.map((metric) => [metric.name, metric] as const)
    : Object.entries(metrics);
  const other = pairs.find(([, metric]) => !(metric instanceof Metric));
  if (other !== undefined) {
    throw failure(
      `metrics must be a list of them, or an object, got ${other[1]} among them. Pass [new Accuracy()], say`,
    );
  }
  const byName = new Map(pairs);
  if (byName.has("loss") || byName.size < pairs.length) {
    throw failure(
      `metrics must have names of their own, and none "loss", got ${pairs.map(([name]) => name).join(", ")}. Name them: { top5: new Accuracy({ topK: 5 }) }`,
    );
  }
  return byName;
}

function isList<T>(value: readonly T[] | Readonly<Record<string, T>>): value is readonly T[] {
  return Array.isArray(value);
}

function checkParameters(model: Module, optimizer: Optimizer<OptimizerOptions>): void {
  const trained = new Set<Tensor>(optimizer.paramGroups.flatMap(({ params }) => params));
  if (model.parameters().some((parameter) => trained.has(parameter))) return;
  throw failure(
    "the optimizer must have parameters of the model, got none of them. Make it after model.to()",
  );
}

function failure(rule: string): ArgumentError {
  return new ArgumentError(`Trainer: ${rule}.`, { op: "Trainer" });
}
