import {
  type Box,
  type DType,
  type Node,
  reached,
  reshape,
  type TypedArray,
} from "@gradloom/engine";
import { type BackwardOptions, backward } from "./autograd.ts";
import { type Encounters, encounters, watch } from "./encounters.ts";
import { announceGradient, engine, gradientsWait, settle } from "./engine.ts";
import { shapeError, stateError } from "./errors.ts";
import { formatTensor, printAsText } from "./format.ts";
import { isGradEnabled } from "./grad-mode.ts";
import type { History } from "./history.ts";
import { type NestedNumbers, unflatten } from "./nested.ts";
import type {
  AllcloseOptions,
  AvgPoolOptions,
  Axes,
  BatchNormOptions,
  ClampOptions,
  ConvOptions,
  ConvTransposeOptions,
  DivOptions,
  DropoutOptions,
  EmbeddingOptions,
  Extremes,
  GeluOptions,
  GroupNormOptions,
  IndexArguments,
  InterpolateOptions,
  LayerNormOptions,
  LinearOptions,
  MaxPoolOptions,
  NormOptions,
  OutputSize,
  PadOptions,
  Pair,
  ReduceOptions,
  RmsNormOptions,
  ScatterArguments,
  SliceOptions,
  SoftplusOptions,
  SortOptions,
  TopkOptions,
  UnfoldArguments,
  VarianceOptions,
} from "./ops/index.ts";
import * as ops from "./ops/index.ts";
import { type Operand, requireFloat, requireTensor } from "./promote.ts";
import { record } from "./record.ts";
import { sizeOf } from "./shape.ts";
import { refuseInVmap, refuseWhileTracing } from "./tracing.ts";
import { inTurn } from "./turns.ts";

/** What {@link Tensor.data} takes: positions in row-major order. */
export interface DataOptions {
  /** Default 0. */
  readonly start?: number | undefined;
  /** Default: how many elements there are. */
  readonly end?: number | undefined;
}

/**
 * Numbers in a grid of any number of axes. Operations record what to compute and check shapes and dtypes at
 * once; the values are computed when one is read, or when an optimizer steps.
 *
 * A tensor never changes, unless it is a leaf that is assigned to (a parameter): then it is a *state*.
 */
export class Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Whether `backward` computes a gradient that leads to this tensor. */
  requiresGrad: boolean = false;
  /** How it came to be, if it can be differentiated. A leaf has none. */
  history: History | undefined = undefined;
  /** The value in place, once this tensor has been assigned to. */
  state: Box | undefined = undefined;
  private readonly recorded: Node;
  private gradient: Tensor | null = null;
  /** How many tensors have this one as their gradient; somebody else who may hold it counts, too, and for good. */
  private holders = 0;

  static {
    printAsText(Tensor.prototype);
  }

  /**
   * @param source - A tensor: the new one is a leaf that shares its value in place, so that an assignment to one
   * is seen by both (a copy, if `source` is a result of something differentiable). A class that extends `Tensor`, as
   * `Parameter` does, passes one on: `super(source)`. Operations pass a node instead.
   */
  constructor(source: Node | Tensor) {
    this.shape = source.shape;
    this.dtype = source.dtype;
    if (source instanceof Tensor) {
      this.recorded = source.recorded;
      this.state = source.history ? newState(source.recorded) : source.toState();
    } else {
      this.recorded = source;
    }
  }

  /** What is recorded for the value as it is now. */
  get node(): Node {
    this.met?.use(this);
    return this.state?.node ?? this.recorded;
  }

  /** What the function that is being compiled meets, if this tensor is from outside. */
  private get met(): Encounters | undefined {
    const { value } = encounters;
    return value && this.recorded.id < value.start ? value : undefined;
  }

  get ndim(): number {
    return this.shape.length;
  }

  get numel(): number {
    return sizeOf(this.shape);
  }

  /** Whether nothing that can be differentiated lies behind this tensor. */
  get isLeaf(): boolean {
    return this.history === undefined;
  }

  /** The value in place; made from the recorded one when first asked for. */
  private toState(): Box {
    this.state ??= newState(this.recorded);
    return this.state;
  }

  // ---- reading ----

  /**
   * The values in row-major order, in a new array; of those, the elements from `start` up to and without `end`: a large tensor
   * can be read, and written to a file, in parts. Whoever waits for values in a loop lets timers and signals have their turn.
   */
  data({ start, end }: DataOptions = {}): Promise<TypedArray> {
    refuseReading("data");
    return inTurn(engine().read(this.node, start, end));
  }

  /** The values as nested arrays; booleans are 0 and 1. */
  async array(): Promise<NestedNumbers> {
    return unflatten(await this.data(), this.shape);
  }

  /**
   * The only value.
   *
   * @throws ShapeError if there are more, or none.
   */
  async item(): Promise<number> {
    this.requireOne();
    return (await this.data())[0];
  }

  /** Like {@link Tensor.data}, at once. @throws BackendError where reading has to wait. */
  dataSync(): TypedArray {
    refuseReading("dataSync");
    return engine().readSync(this.node);
  }

  /** Like {@link Tensor.array}, at once. */
  arraySync(): NestedNumbers {
    return unflatten(this.dataSync(), this.shape);
  }

  /** What `JSON.stringify` writes: nested arrays. JSON has no NaN and no infinities; they become `null`. */
  toJSON(): NestedNumbers {
    return this.arraySync();
  }

  /** Like {@link Tensor.item}, at once. */
  itemSync(): number {
    this.requireOne();
    return this.dataSync()[0];
  }

  private requireOne(): void {
    if (this.numel === 1) return;
    throw shapeError`item: the tensor must have one element, got ${this.shape}. Read it with array() or data().`;
  }

  toString(): string {
    return formatTensor(this);
  }

  // ---- state ----

  /**
   * Takes a new value in place; all tensors that share it see it. What was recorded before keeps the old one.
   *
   * @throws ShapeError or DTypeError unless `value` has this shape and dtype. StateError if this tensor is a result
   * of something differentiable, or requires a gradient outside `noGrad`, or becomes a state only inside of a
   * function that is being compiled.
   */
  assign(value: Tensor): this {
    refuseInVmap("assign", "a state must not change", "Return its new value.");
    requireTensor("assign", value);
    if (this.history) {
      throw stateError`assign: the tensor must be a leaf, got a result of "${this.history.op}". Assign to its detach().`;
    }
    if (this.requiresGrad && isGradEnabled()) {
      throw stateError`assign: a tensor that requires a gradient must be assigned to inside noGrad(). Call noGrad(() => x.assign(value)).`;
    }
    if (!this.state) {
      // What has been recorded of the tensor so far would go on reading the old value.
      refuseWhileTracing("assign", "a state must not be made", "Make it outside: new Tensor(x).");
    }
    const state = this.toState();
    if (state.isPending && gradientsWait()) settle([]);
    engine().assign(state, value.node);
    engine().effect(() => {
      state.assignments++;
    });
    return this;
  }

  /** Gives the value in place a name for error messages, such as a parameter's key. */
  named(name: string): this {
    this.toState().name = name;
    return this;
  }

  // ---- gradients ----

  /**
   * The gradient that `backward` has summed up, if this is a leaf that requires one. It is computed with whatever
   * is computed next, so it can be read before and after `optimizer.step()`.
   */
  get grad(): Tensor | null {
    this.gradient?.share();
    return this.peekGrad();
  }

  set grad(gradient: Tensor | null) {
    const old = this.gradient;
    this.gradient = gradient;
    this.met?.gradients.add(this);
    if (gradient !== null) {
      gradient.holders += 1;
      // One that is computed already needs no plan.
      if (!gradient.node.box) announceGradient(this);
    }
    if (old === null) return;
    // What nobody else has seen can go at once; a loop that never waits has no other chance.
    old.holders -= 1;
    if (old.holders === 0 && old.node !== gradient?.node) engine().release(old.node);
  }

  /** Says that this tensor has several holders: none of them may give its memory back. */
  share(): void {
    this.holders += 1;
  }

  /** {@link Tensor.grad} for who does not keep it, as an optimizer. */
  peekGrad(): Tensor | null {
    const { met } = this;
    if (met && !met.gradients.has(this)) {
      if (this.gradient === null) watch(() => this.gradient);
      else met.usesGradient = true;
    }
    return this.gradient;
  }

  /**
   * Computes the gradient of this tensor with respect to all leaves that require one and adds it to their `grad`.
   * It is recorded, like everything.
   *
   * @throws ShapeError if this is not a scalar and no `gradient` is given. StateError if nothing here requires
   * a gradient, the graph was freed by an earlier call, or a tensor in it has been assigned to since.
   */
  backward(options: BackwardOptions = {}): void {
    refuseInVmap("backward", "gradients must not be kept", "Use grad().");
    backward(this, options);
  }

  /** The same value, through which no gradient flows. It shares a state. */
  detach(): Tensor {
    const { node, state } = this;
    if (state || node.box || !node.dependsOnState) return new Tensor(state ? this : node);
    // A node of its own: whoever keeps it can read it after a step, although something consumes this tensor.
    return record("detach", reshape(node, this.shape));
  }

  /** Keeps the gradient of this tensor in `grad`, even though it is not a leaf. */
  retainGrad(): this {
    if (!this.requiresGrad) {
      throw stateError`retainGrad: the tensor must require a gradient, got one that does not.`;
    }
    if (this.history) this.history.retainsGrad = true;
    return this;
  }

  /**
   * Says whether gradients of this leaf are wanted.
   *
   * @throws DTypeError if it is not floating. StateError if it is not a leaf.
   */
  requiresGrad_(flag: boolean = true): this {
    if (flag) requireFloat("requiresGrad_", this);
    if (!flag && this.history) {
      throw stateError`requiresGrad_: the tensor must be a leaf, got a result of "${this.history.op}". Use detach().`;
    }
    this.requiresGrad = flag;
    return this;
  }

  // ---- arithmetic ----

  /** `a + b`; shapes broadcast. */
  add(other: Operand): Tensor {
    return ops.add(this, other);
  }

  /** `a - b`; shapes broadcast. */
  sub(other: Operand): Tensor {
    return ops.sub(this, other);
  }

  /** `a · b`; shapes broadcast. */
  mul(other: Operand): Tensor {
    return ops.mul(this, other);
  }

  /** `a / b`; shapes broadcast. Integers give float32, unless a rounding mode is given. */
  div(other: Operand, options?: DivOptions): Tensor {
    return ops.div(this, other, options);
  }

  /** The remainder of `a / b` rounded down: it has the sign of `b`, as in Python. Shapes broadcast. */
  remainder(other: Operand): Tensor {
    return ops.remainder(this, other);
  }

  /** `-x`. */
  neg(): Tensor {
    return ops.neg(this);
  }

  /** `|x|`. Its slope at 0 is taken as 0. */
  abs(): Tensor {
    return ops.abs(this);
  }

  /** -1, 0 or 1; 0 for NaN. */
  sign(): Tensor {
    return ops.sign(this);
  }

  /** `1 / x`. */
  reciprocal(): Tensor {
    return ops.reciprocal(this);
  }

  /** `√x`. */
  sqrt(): Tensor {
    return ops.sqrt(this);
  }

  /** `1 / √x`. */
  rsqrt(): Tensor {
    return ops.rsqrt(this);
  }

  /** `x²`. */
  square(): Tensor {
    return ops.square(this);
  }

  /** `⌊x⌋`. */
  floor(): Tensor {
    return ops.floor(this);
  }

  /** `⌈x⌉`. */
  ceil(): Tensor {
    return ops.ceil(this);
  }

  /** The nearest whole number; of two, the even one. */
  round(): Tensor {
    return ops.round(this);
  }

  /** Cuts the fraction off. */
  trunc(): Tensor {
    return ops.trunc(this);
  }

  /** `start + weight · (end - start)`; shapes broadcast. Exact at both ends. */
  lerp(end: Tensor, weight: Operand): Tensor {
    return ops.lerp(this, end, weight);
  }

  /** `base ^ exponent`; shapes broadcast. The exponents -1, -0.5, 0, 0.5, 1, 2 and 3 are simpler operations. */
  pow(exponent: Operand): Tensor {
    return ops.pow(this, exponent);
  }

  /** `e^x`. */
  exp(): Tensor {
    return ops.exp(this);
  }

  /** `e^x - 1`, exact near 0. */
  expm1(): Tensor {
    return ops.expm1(this);
  }

  /** The natural logarithm. */
  log(): Tensor {
    return ops.log(this);
  }

  /** `log(1 + x)`, exact near 0. */
  log1p(): Tensor {
    return ops.log1p(this);
  }

  /** The logarithm to base 2. */
  log2(): Tensor {
    return ops.log2(this);
  }

  /** The sine of an angle in radians. */
  sin(): Tensor {
    return ops.sin(this);
  }

  /** The cosine of an angle in radians. */
  cos(): Tensor {
    return ops.cos(this);
  }

  /** The tangent of an angle in radians. */
  tan(): Tensor {
    return ops.tan(this);
  }

  /** The angle in `[-π/2, π/2]` whose sine is `x`. */
  asin(): Tensor {
    return ops.asin(this);
  }

  /** The angle in `[0, π]` whose cosine is `x`. */
  acos(): Tensor {
    return ops.acos(this);
  }

  /** The angle in `[-π/2, π/2]` whose tangent is `x`. */
  atan(): Tensor {
    return ops.atan(this);
  }

  /** `(e^x - e^-x) / 2`. */
  sinh(): Tensor {
    return ops.sinh(this);
  }

  /** `(e^x + e^-x) / 2`. */
  cosh(): Tensor {
    return ops.cosh(this);
  }

  /** `sinh(x) / cosh(x)`. */
  tanh(): Tensor {
    return ops.tanh(this);
  }

  /** The error function, `2/√π · ∫₀ˣ e^(-t²) dt`. */
  erf(): Tensor {
    return ops.erf(this);
  }

  /** The larger of `a` and `b`, NaN if either is; shapes broadcast. Equal values share the gradient. */
  maximum(other: Operand): Tensor {
    return ops.maximum(this, other);
  }

  /** The smaller of `a` and `b`, NaN if either is; shapes broadcast. Equal values share the gradient. */
  minimum(other: Operand): Tensor {
    return ops.minimum(this, other);
  }

  /** `min(max(x, lower), upper)`; either bound may be missing: `x.clamp(0)`, `x.clamp(undefined, 1)`, `x.clamp({ max: 1 })`. At a bound the slope is 1. */
  clamp(lower: Operand | ClampOptions | undefined, upper?: Operand): Tensor {
    return ops.clamp(this, lower, upper);
  }

  // ---- comparison ----

  /** `a = b`, element by element: bool. Shapes broadcast, also below. */
  eq(other: Operand): Tensor {
    return ops.eq(this, other);
  }

  /** `a ≠ b`. */
  ne(other: Operand): Tensor {
    return ops.ne(this, other);
  }

  /** `a < b`. */
  lt(other: Operand): Tensor {
    return ops.lt(this, other);
  }

  /** `a ≤ b`. */
  le(other: Operand): Tensor {
    return ops.le(this, other);
  }

  /** `a > b`. */
  gt(other: Operand): Tensor {
    return ops.gt(this, other);
  }

  /** `a ≥ b`. */
  ge(other: Operand): Tensor {
    return ops.ge(this, other);
  }

  /** Whether both are not 0: bool. */
  logicalAnd(other: Tensor): Tensor {
    return ops.logicalAnd(this, other);
  }

  /** Whether one or both are not 0. */
  logicalOr(other: Tensor): Tensor {
    return ops.logicalOr(this, other);
  }

  /** Whether it is 0. */
  logicalNot(): Tensor {
    return ops.logicalNot(this);
  }

  /** Whether it is NaN. */
  isnan(): Tensor {
    return ops.isnan(this);
  }

  /** Whether it is infinite, of either sign. */
  isinf(): Tensor {
    return ops.isinf(this);
  }

  /** Whether it is neither NaN nor infinite. */
  isfinite(): Tensor {
    return ops.isfinite(this);
  }

  /** Whether `|a - b| ≤ atol + rtol · |b|` holds everywhere. Reads the answer at once. */
  allclose(other: Tensor, options?: AllcloseOptions): boolean {
    return ops.allclose(this, other, options);
  }

  // ---- activations ----

  /** `max(x, 0)`. Its slope at 0 is 0. */
  relu(): Tensor {
    return ops.relu(this);
  }

  /** `x` where positive, else `negativeSlope · x` (default 0.01). */
  leakyRelu(options?: { readonly negativeSlope?: number }): Tensor {
    return ops.leakyRelu(this, options);
  }

  /** `x` where positive, else `α (e^x - 1)` (default α = 1). */
  elu(options?: { readonly alpha?: number }): Tensor {
    return ops.elu(this, options);
  }

  /** `1 / (1 + e^-x)`. */
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }

  /** `x · sigmoid(x)`. */
  silu(): Tensor {
    return ops.silu(this);
  }

  /** `x · Φ(x)`, where Φ is the distribution function of the normal distribution: `½ x (1 + erf(x/√2))`; or approximately `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`. */
  gelu(options?: GeluOptions): Tensor {
    return ops.gelu(this, options);
  }

  /** `log(1 + e^(β x)) / β`, a smooth `relu`. */
  softplus(options?: SoftplusOptions): Tensor {
    return ops.softplus(this, options);
  }

  /** `x · clamp(x + 3, 0, 6) / 6`. */
  hardswish(): Tensor {
    return ops.hardswish(this);
  }

  /** `x · tanh(softplus(x))`. */
  mish(): Tensor {
    return ops.mish(this);
  }

  /** `e^x / Σ e^x` along an axis: positive, with sum 1. */
  softmax(dim: number): Tensor {
    return ops.softmax(this, dim);
  }

  /** `log softmax(x)` along an axis, exact also where the softmax underflows. */
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmax(this, dim);
  }

  // ---- reductions ----

  /** The sum over the given axes, or all. Of booleans: how many are true. */
  sum(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.sum(this, dim, options);
  }

  /** The product over the given axes, or all. The gradient is right also where elements are 0. */
  prod(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.prod(this, dim, options);
  }

  /** The arithmetic mean over the given axes, or all. */
  mean(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.mean(this, dim, options);
  }

  /** `Σ (x - mean)² / (n - correction)` over the given axes, or all. */
  var(dim?: Axes, options?: VarianceOptions): Tensor {
    return ops.var(this, dim, options);
  }

  /** `√var`. Where it is 0, so is its slope. */
  std(dim?: Axes, options?: VarianceOptions): Tensor {
    return ops.std(this, dim, options);
  }

  /** `(Σ |x|^p)^(1/p)` over the given axes, or all. Its slope at the zero vector is taken as 0. */
  norm(dim?: Axes, options?: NormOptions): Tensor {
    return ops.norm(this, dim, options);
  }

  /** Whether any element along the given axes, or at all, is not 0: bool. */
  any(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.any(this, dim, options);
  }

  /** Whether all elements along the given axes, or at all, are not 0: bool. */
  all(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.all(this, dim, options);
  }

  /** `log Σ e^x` over the given axes, or all, without overflow. */
  logsumexp(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.logsumexp(this, dim, options);
  }

  /** The largest elements over the given axes, or all. Equal ones share the gradient. NaN if any is. */
  amax(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.amax(this, dim, options);
  }

  /** The smallest elements over the given axes, or all. Equal ones share the gradient. NaN if any is. */
  amin(dim?: Axes, options?: ReduceOptions): Tensor {
    return ops.amin(this, dim, options);
  }

  /** The largest element of all; or with an axis, the largest along it and their indices. The gradient flows to that index; without an axis equal elements share it. */
  max(): Tensor;
  max(dim: number, options?: ReduceOptions): Extremes;
  max(dim?: number, options?: ReduceOptions): Tensor | Extremes {
    return ops.max(this, dim as number, options);
  }

  /** The smallest element of all; or with an axis, the smallest along it and their indices. See {@link max}. */
  min(): Tensor;
  min(dim: number, options?: ReduceOptions): Extremes;
  min(dim?: number, options?: ReduceOptions): Tensor | Extremes {
    return ops.min(this, dim as number, options);
  }

  /** The index of the largest element along an axis, or in row-major order: int32, the first of equal ones. */
  argmax(dim?: number, options?: ReduceOptions): Tensor {
    return ops.argmax(this, dim, options);
  }

  /** The index of the smallest element along an axis, or in row-major order: int32, the first of equal ones. */
  argmin(dim?: number, options?: ReduceOptions): Tensor {
    return ops.argmin(this, dim, options);
  }

  /** The sums of all elements up to each one along an axis, `yᵢ = x₀ + … + xᵢ`. */
  cumsum(dim: number): Tensor {
    return ops.cumsum(this, dim);
  }

  /** The products of all elements up to each one along an axis, `yᵢ = x₀ · … · xᵢ`. */
  cumprod(dim: number): Tensor {
    return ops.cumprod(this, dim);
  }

  // ---- sorting ----

  /** The elements in order along an axis (default: the last), and where they were. Equal ones keep their order; NaN is greater than all others. */
  sort(dim?: number, options?: SortOptions): Extremes {
    return ops.sort(this, dim, options);
  }

  /** The positions in which the elements along an axis (default: the last) are in order: int32. */
  argsort(dim?: number, options?: SortOptions): Tensor {
    return ops.argsort(this, dim, options);
  }

  /** The `k` largest elements along an axis (default: the last), or the smallest, in order, and where they are. */
  topk(k: number, dim?: number, options?: TopkOptions): Extremes {
    return ops.topk(this, k, dim, options);
  }

  // ---- shape ----

  /** The same elements in row-major order, in another shape. One size may be -1: what is left. */
  reshape(shape: readonly number[]): Tensor {
    return ops.reshape(this, shape);
  }

  /** Joins the axes from `startDim` to `endDim` into one. */
  flatten(startDim?: number, endDim?: number): Tensor {
    return ops.flatten(this, startDim, endDim);
  }

  /** Splits an axis into several, whose sizes multiply to its own; one may be -1. */
  unflatten(dim: number, sizes: readonly number[]): Tensor {
    return ops.unflatten(this, dim, sizes);
  }

  /** Drops axes of size 1: the given ones if they have that size, or all. */
  squeeze(dim?: number | readonly number[]): Tensor {
    return ops.squeeze(this, dim);
  }

  /** Adds an axis of size 1 in front of the axis that is now `dim`; -1 adds it at the end. */
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim);
  }

  /** Reorders the axes: axis `i` of the result is axis `dims[i]` of `x`. */
  permute(dims: readonly number[]): Tensor {
    return ops.permute(this, dims);
  }

  /** Exchanges two axes. */
  transpose(dim0: number, dim1: number): Tensor {
    return ops.transpose(this, dim0, dim1);
  }

  /** The transpose of a matrix; a vector or a scalar stays as it is. */
  t(): Tensor {
    return ops.t(this);
  }

  /** Repeats axes of size 1 up to `shape`, and adds axes in front. A size of -1 stays as it is. It is a view. */
  expand(shape: readonly number[]): Tensor {
    return ops.expand(this, shape);
  }

  /** Lays copies side by side: `repeats[i]` of them along axis `i`; more entries than axes add axes in front. */
  repeat(repeats: readonly number[]): Tensor {
    return ops.repeat(this, repeats);
  }

  /** Repeats each element `repeats` times along an axis; without one, of the flattened tensor. */
  repeatInterleave(repeats: number, dim?: number): Tensor {
    return ops.repeatInterleave(this, repeats, dim);
  }

  /** {@link reshape} by another name: no view needs a copy here, so there is nothing that one can do and not the other. */
  view(shape: readonly number[]): Tensor {
    return ops.view(this, shape);
  }

  /** The part from `start` up to but without `end` along an axis, as `x[start:end:step]` in Python: negative positions count from the end, those beyond are cut off. It is a view. */
  slice(dim: number, start?: number, end?: number, options?: SliceOptions): Tensor {
    return ops.slice(this, dim, start, end, options);
  }

  /** The part of `length` elements from `start` along an axis. */
  narrow(dim: number, start: number, length: number): Tensor {
    return ops.narrow(this, dim, start, length);
  }

  /** The part at one index of an axis, which vanishes from the shape. */
  select(dim: number, index: number): Tensor {
    return ops.select(this, dim, index);
  }

  /** Adds elements around: `[left, right]` of the last axis, then `[…, top, bottom]` of the one before, and so on. Negative numbers cut off. */
  pad(padding: readonly number[], options?: PadOptions): Tensor {
    return ops.pad(this, padding, options);
  }

  /** Reverses the order of the elements along the given axes. It is a view. */
  flip(dims: number | readonly number[]): Tensor {
    return ops.flip(this, dims);
  }

  /** Cuts an axis into parts of the given size, the last maybe smaller; or into parts of the given sizes. */
  split(sizes: number | readonly number[], dim?: number): Tensor[] {
    return ops.split(this, sizes, dim);
  }

  /** Cuts an axis into `chunks` parts, the last maybe smaller, or into fewer if it is too short. */
  chunk(chunks: number, dim?: number): Tensor[] {
    return ops.chunk(this, chunks, dim);
  }

  /** One tensor for each index of an axis, without the axis. */
  unbind(dim?: number): Tensor[] {
    return ops.unbind(this, dim);
  }

  /** Moves elements along axes; those that leave at the end come back at the front. Without axes, in row-major order. */
  roll(shifts: number | readonly number[], dims?: number | readonly number[]): Tensor {
    return ops.roll(this, shifts, dims);
  }

  // ---- indexing ----

  /** Elements by their indices along an axis: `result[i, j] = x[index[i, j], j]` for `x.gather(index, 0)` of a matrix. */
  gather(...args: IndexArguments): Tensor {
    return ops.gather(this, ...args);
  }

  /** `x` with other elements at indices along an axis: `result[index[i, j], j] = src[i, j]` for `x.scatter(index, src, 0)` of a matrix. The last one wins. */
  scatter(...args: ScatterArguments<Tensor | number>): Tensor {
    return ops.scatter(this, ...args);
  }

  /** `x` with numbers added at indices along an axis: `result[index[i, j], j] += src[i, j]` for `x.scatterAdd(index, src, 0)` of a matrix. */
  scatterAdd(...args: ScatterArguments<Tensor>): Tensor {
    return ops.scatterAdd(this, ...args);
  }

  /** The parts at some indices of an axis, in their order: `x.indexSelect(index, dim)`. */
  indexSelect(...args: IndexArguments): Tensor {
    return ops.indexSelect(this, ...args);
  }

  /** Elements by their positions in row-major order, in the shape of the index. Negative positions count from the end. */
  take(index: Tensor): Tensor {
    return ops.take(this, index);
  }

  // ---- masks ----

  /** `a` where the condition is true, else `b`; all three broadcast. */
  where(a: Operand, other: Operand): Tensor {
    return ops.where(this, a, other);
  }

  /** `x` with `value` where the mask is true; the mask broadcasts. */
  maskedFill(mask: Tensor, value: Operand): Tensor {
    return ops.maskedFill(this, mask, value);
  }

  /** The lower triangle of the last two axes, with `diagonal` more diagonals above the main one; zeros elsewhere. */
  tril(diagonal?: number): Tensor {
    return ops.tril(this, diagonal);
  }

  /** The upper triangle of the last two axes, without `diagonal` diagonals from the main one on; zeros elsewhere. */
  triu(diagonal?: number): Tensor {
    return ops.triu(this, diagonal);
  }

  /** The diagonal of two axes, `offset` columns to the right of the main one, as a new last axis. It is a view. */
  diagonal(offset?: number, dim1?: number, dim2?: number): Tensor {
    return ops.diagonal(this, offset, dim1, dim2);
  }

  /** 1 at the index that each element of `x` names, 0 elsewhere, along a new last axis: int32. */
  oneHot(numClasses: number): Tensor {
    return ops.oneHot(this, numClasses);
  }

  // ---- dtype and copies ----

  /** The same numbers in another dtype; `x` itself if it has that dtype. To an integer the fraction is cut off, to `"bool"` it is `x ≠ 0`. */
  to(dtype: DType): Tensor {
    return ops.to(this, dtype);
  }

  /** A tensor with the same value now: later assignments to `x` do not change it. Gradients flow through. */
  clone(): Tensor {
    return ops.clone(this);
  }

  // ---- images and sequences ----

  /** Slides windows along the last axis, `y[o, i] = bias[o] + Σ weight[o, c, k] · x[c, stride · i + dilation · k - padding]`. */
  conv1d(weight: Tensor, options?: ConvOptions): Tensor {
    return ops.conv1d(this, weight, options);
  }

  /** Slides windows over images, `y[o, i, j] = bias[o] + Σ weight[o, c, k, l] · x[c, stride · i + dilation · k - padding, …]`. */
  conv2d(weight: Tensor, options?: ConvOptions): Tensor {
    return ops.conv2d(this, weight, options);
  }

  /** The adjoint of {@link Tensor.conv1d}: each element adds the weight, times itself, to the result. */
  convTranspose1d(weight: Tensor, options?: ConvTransposeOptions): Tensor {
    return ops.convTranspose1d(this, weight, options);
  }

  /** The adjoint of {@link Tensor.conv2d}: each element adds the weight, times itself, to the result. */
  convTranspose2d(weight: Tensor, options?: ConvTransposeOptions): Tensor {
    return ops.convTranspose2d(this, weight, options);
  }

  /** The largest element of each window along the last axis. The gradient flows to the first one of equal ones. */
  maxPool1d(kernelSize: Pair, options: MaxPoolOptions & { readonly returnIndices: true }): Extremes;
  maxPool1d(kernelSize: Pair, options?: MaxPoolOptions): Tensor;
  maxPool1d(kernelSize: Pair, options?: MaxPoolOptions): Tensor | Extremes {
    return ops.maxPool1d(this, kernelSize, options);
  }

  /** The largest element of each window of an image. The gradient flows to the first one of equal ones. */
  maxPool2d(kernelSize: Pair, options: MaxPoolOptions & { readonly returnIndices: true }): Extremes;
  maxPool2d(kernelSize: Pair, options?: MaxPoolOptions): Tensor;
  maxPool2d(kernelSize: Pair, options?: MaxPoolOptions): Tensor | Extremes {
    return ops.maxPool2d(this, kernelSize, options);
  }

  /** The mean of each window of an image. */
  avgPool2d(kernelSize: Pair, options?: AvgPoolOptions): Tensor {
    return ops.avgPool2d(this, kernelSize, options);
  }

  /** Means of windows that cover an image, as many as `outputSize` says. */
  adaptiveAvgPool2d(outputSize: OutputSize): Tensor {
    return ops.adaptiveAvgPool2d(this, outputSize);
  }

  /** The largest elements of windows that cover an image, as many as `outputSize` says. */
  adaptiveMaxPool2d(outputSize: OutputSize): Tensor {
    return ops.adaptiveMaxPool2d(this, outputSize);
  }

  /** The windows of images as columns, `x.unfold(kernelSize, { stride, padding, dilation })`; or the windows along an axis, `x.unfold(dim, size, step)`. */
  unfold(...args: UnfoldArguments): Tensor {
    return ops.unfold(this, ...args);
  }

  /** Resizes images, or sequences: everything behind the first two axes. */
  interpolate(options: InterpolateOptions): Tensor {
    return ops.interpolate(this, options);
  }

  /** Makes pixels of channels, so that images grow: `y[c, h · r + i, w · r + j] = x[c · r² + i · r + j, h, w]`. */
  pixelShuffle(upscaleFactor: number): Tensor {
    return ops.pixelShuffle(this, upscaleFactor);
  }

  // ---- linear algebra ----

  /** The matrix product, by PyTorch's rules: a vector on the left counts as a row, on the right as a column, and its axis vanishes again; axes in front of the last two are batches, and broadcast. */
  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other);
  }

  /** The product of two matrices, nothing else: `[m, k] × [k, n] -> [m, n]`. */
  mm(other: Tensor): Tensor {
    return ops.mm(this, other);
  }

  /** The products of two batches of matrices: `[batch, m, k] × [batch, k, n] -> [batch, m, n]`. */
  bmm(other: Tensor): Tensor {
    return ops.bmm(this, other);
  }

  /** The inner product of two vectors: a scalar. */
  dot(other: Tensor): Tensor {
    return ops.dot(this, other);
  }

  /** The outer product of two vectors: `[m] × [n] -> [m, n]`. */
  outer(other: Tensor): Tensor {
    return ops.outer(this, other);
  }

  /** `x Wᵀ + b` over the last axis. */
  linear(weight: Tensor, options?: LinearOptions): Tensor {
    return ops.linear(this, weight, options);
  }

  // ---- neural networks ----

  /** The rows of a table that these indices name: `[...]`, `weight [n, dim]` -> `[..., dim]`. */
  embedding(weight: Tensor, options?: EmbeddingOptions): Tensor {
    return ops.embedding(this, weight, options);
  }

  /** `(x - mean) / √(var + eps) · weight + bias` over the last axes, whose sizes are given. */
  layerNorm(normalizedShape: readonly number[], options?: LayerNormOptions): Tensor {
    return ops.layerNorm(this, normalizedShape, options);
  }

  /** `x / √(mean(x²) + eps) · weight` over the last axes, whose sizes are given. */
  rmsNorm(normalizedShape: readonly number[], options?: RmsNormOptions): Tensor {
    return ops.rmsNorm(this, normalizedShape, options);
  }

  /** `(x - mean) / √(var + eps) · weight + bias` for each channel, the second axis. */
  batchNorm(
    runningMean: Tensor | undefined,
    runningVar: Tensor | undefined,
    options?: BatchNormOptions,
  ): Tensor {
    return ops.batchNorm(this, runningMean, runningVar, options);
  }

  /** `(x - mean) / √(var + eps) · weight + bias` for each example and each group of channels. */
  groupNorm(numGroups: number, options?: GroupNormOptions): Tensor {
    return ops.groupNorm(this, numGroups, options);
  }

  /** Sets elements to 0 with probability `p` and scales the others by `1 / (1 - p)`, so that the mean stays. */
  dropout(p?: number, options?: DropoutOptions): Tensor {
    return ops.dropout(this, p, options);
  }
}

function newState(value: Node): Box {
  refuseInVmap("new Tensor", "a state must not be made", "Make it outside.");
  // It would start, in each later call of a compiled function, as what the first made of its inputs.
  if (encounters.value) {
    for (const node of reached([value], ({ inputs }) => inputs)) {
      if (encounters.value.inputs.includes(node)) {
        refuseWhileTracing("new Tensor", "a state must not be made of inputs", "Make it outside.");
      }
    }
  }
  return engine().state(value);
}

function refuseReading(op: string): void {
  refuseWhileTracing(op, "values must not be read", "Return the tensor, and read it outside.");
}
