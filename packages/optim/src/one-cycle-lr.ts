import { ArgumentError, checkOptions, StateError } from "@gradloom/tensor";
import { checkPositiveInteger } from "./check-option.ts";
import { LRSchedule, type LRScheduleOptions, perGroup } from "./lr-schedule.ts";
import type { FullGroup, Optimizer, OptimizerOptions } from "./optimizer.ts";

/** Options of {@link OneCycleLR}: `totalSteps`, or `epochs` and `stepsPerEpoch`. */
export interface OneCycleLROptions extends LRScheduleOptions {
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** The share of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** Along which curve. Default `"cos"`. */
  readonly annealStrategy?: "cos" | "linear";
  /** Whether the momentum (`momentum`, or the first of `betas`) goes the other way. Default true. */
  readonly cycleMomentum?: boolean;
  /** The least momentum, at the largest rate; one for all groups or one for each. Default 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** The largest momentum, at the start and the end. Default 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** `maxLr / divFactor` is the first rate. Default 25. */
  readonly divFactor?: number;
  /** The first rate by `finalDivFactor` is the last. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Whether the rate comes down to the first one in a phase of its own. Default false. */
  readonly threePhase?: boolean;
}

interface OneCycleSettings {
  readonly totalSteps: number;
  readonly pctStart: number;
  readonly annealStrategy: string;
  readonly cycleMomentum: boolean;
  readonly threePhase: boolean;
  readonly maxLrs: readonly number[];
  readonly minLrs: readonly number[];
  readonly baseMomentums: readonly number[];
  readonly maxMomentums: readonly number[];
}

/** What a phase of the cycle leads to, for one group. */
interface Point {
  readonly step: number;
  readonly lr: number;
  readonly momentum: number;
}

/**
 * Raises the rate from `maxLr / divFactor` to `maxLr`, then lowers it far below where it began, in one cycle of
 * `totalSteps` steps; the momentum goes the other way. Step the schedule after each step of the optimizer.
 *
 * - Paper: Smith & Topin 2017, Super-convergence, https://arxiv.org/abs/1708.07120
 *
 * @throws ArgumentError if an option is out of its range, or the optimizer has no momentum to cycle. StateError from
 *   `step()` after more than `totalSteps`.
 *
 * @example
 * ```ts
 * const schedule = new OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: 500 });
 * ```
 */
export class OneCycleLR extends LRSchedule<OneCycleSettings> {
  override readonly interval = "step";

  constructor(
    optimizer: Optimizer,
    maxLr: number | readonly number[],
    options: OneCycleLROptions = {},
  ) {
    checkOptions("OneCycleLR", options, {
      totalSteps: true,
      epochs: true,
      stepsPerEpoch: true,
      pctStart: true,
      annealStrategy: true,
      cycleMomentum: true,
      baseMomentum: true,
      maxMomentum: true,
      divFactor: true,
      finalDivFactor: true,
      threePhase: true,
      lastEpoch: true,
    });
    const settings = settingsOf(optimizer, maxLr, options);
    const { lastEpoch = -1, divFactor = 25 } = options;
    if (lastEpoch === -1) {
      optimizer.paramGroups.forEach((group, i) => {
        group.initialLr = settings.maxLrs[i] / divFactor;
      });
    }
    super(optimizer, settings, lastEpoch);
  }

  protected rates(): number[] {
    const { totalSteps, cycleMomentum } = this.settings;
    const t = this.lastEpoch;
    if (t > totalSteps) {
      throw new StateError(
        `OneCycleLR: there must be at most ${totalSteps} steps, got ${t}. Give it more totalSteps.`,
      );
    }
    return this.groups.map((group, i) => {
      const points = this.points(i);
      const end = Math.max(
        points.findIndex(({ step }, k) => k > 0 && (t <= step || k === points.length - 1)),
        1,
      );
      const [from, to] = [points[end - 1], points[end]];
      // A phase without length is over as it begins.
      const share = to.step === from.step ? 1 : (t - from.step) / (to.step - from.step);
      if (cycleMomentum) setMomentum(group, this.between(from.momentum, to.momentum, share));
      return this.between(from.lr, to.lr, share);
    });
  }

  /** Where the phases begin and end. */
  private points(group: number): readonly Point[] {
    const { totalSteps, pctStart, threePhase } = this.settings;
    const first = this.baseLrs[group];
    const largest = this.settings.maxLrs[group];
    const last = this.settings.minLrs[group];
    const low = this.settings.baseMomentums[group];
    const high = this.settings.maxMomentums[group];
    const start = { step: 0, lr: first, momentum: high };
    const top = { step: pctStart * totalSteps - 1, lr: largest, momentum: low };
    const end = { step: totalSteps - 1, lr: last, momentum: high };
    if (!threePhase) return [start, top, end];
    return [start, top, { step: 2 * pctStart * totalSteps - 2, lr: first, momentum: high }, end];
  }

  private between(from: number, to: number, share: number): number {
    if (this.settings.annealStrategy === "linear") return (to - from) * share + from;
    return to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1);
  }
}

function settingsOf(
  optimizer: Optimizer,
  maxLr: number | readonly number[],
  options: OneCycleLROptions,
): OneCycleSettings {
  const op = "OneCycleLR";
  const {
    pctStart = 0.3,
    annealStrategy = "cos",
    cycleMomentum = true,
    baseMomentum = 0.85,
    maxMomentum = 0.95,
    divFactor = 25,
    finalDivFactor = 1e4,
    threePhase = false,
  } = options;
  if (!(pctStart >= 0 && pctStart <= 1)) {
    throw new ArgumentError(`${op}: pctStart must be in [0, 1], got ${pctStart}.`, { op });
  }
  if (annealStrategy !== "cos" && annealStrategy !== "linear") {
    throw new ArgumentError(
      `${op}: annealStrategy must be "cos" or "linear", got ${String(annealStrategy)}.`,
      { op },
    );
  }
  for (const [name, value] of Object.entries({ divFactor, finalDivFactor })) {
    if (value > 0 && value < Infinity) continue;
    throw new ArgumentError(`${op}: ${name} must be a finite number above 0, got ${value}.`, {
      op,
    });
  }
  const groups = optimizer.paramGroups;
  if (cycleMomentum && !groups.every((group) => "momentum" in group || "betas" in group)) {
    throw new ArgumentError(
      `${op}: the optimizer must have momentum or betas, got ${optimizer.constructor.name}. Pass cycleMomentum: false.`,
      { op },
    );
  }
  const maxLrs = perGroup(op, "maxLr", maxLr, groups.length);
  return {
    totalSteps: stepsOf(op, options),
    pctStart,
    annealStrategy,
    cycleMomentum,
    threePhase,
    maxLrs,
    minLrs: maxLrs.map((lr) => lr / divFactor / finalDivFactor),
    baseMomentums: perGroup(op, "baseMomentum", baseMomentum, groups.length),
    maxMomentums: perGroup(op, "maxMomentum", maxMomentum, groups.length),
  };
}

function stepsOf(op: string, { totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps !== undefined) {
    checkPositiveInteger(op, "totalSteps", totalSteps);
    return totalSteps;
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new ArgumentError(`${op}: totalSteps, or epochs and stepsPerEpoch, must be given.`, {
      op,
    });
  }
  checkPositiveInteger(op, "epochs", epochs);
  checkPositiveInteger(op, "stepsPerEpoch", stepsPerEpoch);
  return epochs * stepsPerEpoch;
}

interface WithMomentum extends OptimizerOptions {
  momentum?: number;
  betas?: readonly number[];
}

function setMomentum(group: FullGroup<WithMomentum>, momentum: number): void {
  if (group.momentum === undefined && group.betas !== undefined) {
    group.betas = [momentum, ...group.betas.slice(1)];
  } else {
    group.momentum = momentum;
  }
}
