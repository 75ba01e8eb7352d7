import { type Activation, checkSize, Module } from "@gradloom/layers";
import { ArgumentError, checkOptions, ShapeError, StateError, type Tensor } from "@gradloom/tensor";
import { dispatch } from "./dispatch.ts";
import { Expert } from "./expert.ts";
import { Experts } from "./experts.ts";
import { balanceLoss, zLoss } from "./router-losses.ts";
import { TopKRouter } from "./top-k-router.ts";

/** Options of {@link MoE}. */
export interface MoEOptions {
  readonly inputDim: number;
  readonly hiddenDim: number;
  /** Default: `inputDim`. */
  readonly outputDim?: number;
  readonly numExperts: number;
  /** How many experts each token goes to. */
  readonly topK: number;
  /** Noise on the router's logits in training; see `TopKRouter`. Default false. */
  readonly noise?: boolean | number;
  /** Whether the weights of the chosen experts sum to 1; see `TopKRouter`. Default true. */
  readonly normalize?: boolean;
  /**
   * The most tokens of an expert, as a multiple of what it would get if all got as many: choices beyond are dropped, first choices last, and
   * add nothing. Default: none is dropped.
   */
  readonly capacityFactor?: number | undefined;
  /** How many experts' worth of hidden features serve every token, apart from the others. Default 0. */
  readonly sharedExperts?: number;
  /** Of the experts. Default `'gelu'`. */
  readonly activation?: Activation;
  /** What the balance of the load counts in `auxLoss`. Default 0.01, as in the Switch Transformer. */
  readonly balanceWeight?: number;
  /** What the size of the router's logits counts in `auxLoss`. Default 0.001, as in ST-MoE. */
  readonly zWeight?: number;
}

/** What a forward pass decided; nothing of it takes part in gradients. */
export interface Routing {
  /** What each chosen expert counts, `[...leading, topK]`. */
  readonly weights: Tensor;
  /** Which experts were chosen, int32 `[...leading, topK]`. */
  readonly indices: Tensor;
  /** How often each expert was chosen, int32 `[numExperts]`. */
  readonly load: Tensor;
  /** How many choices were dropped because an expert was full: int32, a scalar. */
  readonly dropped: Tensor;
  /** The terms of `auxLoss`, without their weights. */
  readonly balanceLoss: Tensor;
  readonly zLoss: Tensor;
}

/**
 * Mixture of experts, `y = Σ wⱼ · expertⱼ(x)` over the `topK` experts that a router chooses for each token, with the weights that it gives them
 * (`+ shared(x)`). Tokens are sorted by expert, and each expert computes its own tokens only, so a token costs as much as `topK` experts,
 * however many there are. Fits where a `FeedForward` fits.
 *
 * - Shape: `x [..., inputDim] -> [..., outputDim]`
 * - Parameters: those of `router`, `experts` and, if there are any, `shared`
 * - Papers: Shazeer et al. 2017, https://arxiv.org/abs/1701.06538; Fedus et al. 2021 (Switch Transformer),
 *   https://arxiv.org/abs/2101.03961; Gale et al. 2022 (dropless), https://arxiv.org/abs/2211.15841; Dai et al. 2024 (shared
 *   experts), https://arxiv.org/abs/2401.06066
 * @throws ArgumentError if a size is not a positive integer, `topK` is more than `numExperts` or another option is out of range. ShapeError if
 *   the last size of `x` is not `inputDim`.
 *
 * @example
 * ```ts
 * const moe = new MoE({ inputDim: 64, hiddenDim: 256, numExperts: 8, topK: 2 });
 * const loss = mse(moe.forward(x), y).add(moe.auxLoss);
 * ```
 */
export class MoE extends Module {
  readonly router: TopKRouter;
  readonly experts: Experts;
  readonly shared: Expert | undefined;
  readonly inputDim: number;
  readonly outputDim: number;
  readonly numExperts: number;
  readonly topK: number;
  readonly capacityFactor: number;
  readonly balanceWeight: number;
  readonly zWeight: number;
  /**
   * What the last `forward` decided; `undefined` before the first. In a compiled function `forward` runs in the first call
   * alone: let the function return what is wanted of it.
   */
  lastRouting: Routing | undefined = undefined;
  #auxLoss: Tensor | undefined;

  constructor(options: MoEOptions) {
    super();
    checkOptions("MoE", options, {
      inputDim: true,
      hiddenDim: true,
      outputDim: true,
      numExperts: true,
      topK: true,
      noise: true,
      normalize: true,
      capacityFactor: true,
      sharedExperts: true,
      activation: true,
      balanceWeight: true,
      zWeight: true,
    });
    const { inputDim, hiddenDim, outputDim = inputDim, numExperts, topK } = options;
    const { noise = false, normalize = true, activation = "gelu" } = options;
    const { sharedExperts = 0, capacityFactor = Infinity } = options;
    const { balanceWeight = 0.01, zWeight = 0.001 } = options;
    checkSize("MoE", "inputDim", inputDim);
    checkNumber("balanceWeight", balanceWeight >= 0, balanceWeight);
    checkNumber("zWeight", zWeight >= 0, zWeight);
    checkNumber("capacityFactor", capacityFactor > 0, capacityFactor);
    checkNumber(
      "sharedExperts",
      Number.isInteger(sharedExperts) && sharedExperts >= 0,
      sharedExperts,
    );
    this.router = new TopKRouter(inputDim, numExperts, topK, { noise, normalize });
    this.experts = new Experts(numExperts, inputDim, hiddenDim, outputDim, { activation });
    this.shared =
      sharedExperts > 0
        ? new Expert(inputDim, sharedExperts * hiddenDim, outputDim, { activation })
        : undefined;
    this.inputDim = inputDim;
    this.outputDim = outputDim;
    this.numExperts = numExperts;
    this.topK = topK;
    this.capacityFactor = capacityFactor;
    this.balanceWeight = balanceWeight;
    this.zWeight = zWeight;
  }

  forward(x: Tensor): Tensor {
    const { topK, numExperts, outputDim } = this;
    if (x.shape.at(-1) !== this.inputDim) {
      throw new ShapeError(
        `MoE: the last size of x must be inputDim = ${this.inputDim}, got [${x.shape.join(", ")}].`,
        { op: "MoE", shapes: [x.shape] },
      );
    }
    const leading = x.shape.slice(0, -1);
    const count = leading.reduce((a, b) => a * b, 1);
    const tokens = x.reshape([count, this.inputDim]);
    const { weights, indices, logits } = this.router.forward(tokens);

    // Without tokens no number would come of a capacity without limit.
    const capacity = count && Math.ceil((this.capacityFactor * topK * count) / numExperts);
    const { source, place, isTaken, load, ...rows } = dispatch(indices, numExperts, capacity);
    const results = this.experts.forward(tokens.indexSelect(0, source), rows);
    const found = results.indexSelect(0, place).reshape([topK, count, outputDim]);
    const kept = isTaken?.reshape([topK, count, 1]).where(found, 0) ?? found;
    const mixed = kept.mul(weights.t().unsqueeze(2)).sum(0);
    const y = this.shared === undefined ? mixed : mixed.add(this.shared.forward(tokens));

    const balance = balanceLoss(logits, load);
    const z = zLoss(logits);
    this.#auxLoss = balance.mul(this.balanceWeight).add(z.mul(this.zWeight));
    // Nothing else uses these, so they can still be read when an optimizer has stepped.
    const report = (value: Tensor, shape = value.shape) => value.detach().reshape(shape);
    this.lastRouting = {
      weights: report(weights, [...leading, topK]),
      indices: report(indices, [...leading, topK]),
      load: report(load),
      dropped: report(load.sub(rows.sizes).sum()),
      balanceLoss: report(balance),
      zLoss: report(z),
    };
    return y.reshape([...leading, outputDim]);
  }

  /**
   * What the last `forward` adds to the loss so that all experts are used and the router's logits stay small: `balanceWeight ·
   * balanceLoss + zWeight · zLoss`, a scalar.
   *
   * @throws StateError before the first `forward`.
   */
  get auxLoss(): Tensor {
    if (this.#auxLoss === undefined) {
      throw new StateError(
        "MoE: auxLoss must be asked for after forward(), got no call of it yet.",
      );
    }
    return this.#auxLoss;
  }

  override describe(): string {
    const { numExperts, topK, capacityFactor } = this;
    const capacity = capacityFactor === Infinity ? "" : `, capacityFactor=${capacityFactor}`;
    return `numExperts=${numExperts}, topK=${topK}${capacity}`;
  }
}

function checkNumber(name: string, isGood: boolean, value: number): void {
  if (isGood) return;
  const rule =
    name === "sharedExperts"
      ? "an integer of at least 0"
      : name === "capacityFactor"
        ? "more than 0"
        : "at least 0";
  throw new ArgumentError(`MoE: ${name} must be ${rule}, got ${value}.`, { op: "MoE" });
}
