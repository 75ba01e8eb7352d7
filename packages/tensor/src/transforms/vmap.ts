import { Box, constant, element, iota, type Node, reached, reshape } from "@gradloom/engine";
import { watchBatched } from "../anomaly.ts";
import { partials } from "../autograd.ts";
import { argumentError, shapeError } from "../errors.ts";
import { isGradEnabled } from "../grad-mode.ts";
import { History, inputsOf } from "../history.ts";
import { once } from "../once.ts";
import { literal, record } from "../record.ts";
import { firstAxes, spliced, toAxis } from "../shape.ts";
import { requireSynchronous } from "../synchronous.ts";
import { Tensor } from "../tensor.ts";
import { trace } from "../tracing.ts";
import { batched, repeated } from "./batching.ts";
import { outputsOf } from "./pullback.ts";
import { leavesOf, mapTensors, replaceTensors, type TensorsOf } from "./tree.ts";

/** What `vmap` takes. */
export interface VmapOptions {
  /**
   * The axis of each argument along which its examples lie, or `null` if it is the same for all; one for all
   * arguments, or a list. It counts for all tensors in an argument. Default: 0.
   */
  readonly inDims?: number | null | readonly (number | null)[];
  /** The axis of each output along which results lie; one for all, or a list. Default: 0. */
  readonly outDims?: number | readonly number[];
  /**
   * What random tensors that `fn` makes are: an error; `"same"` for each example; or `"different"`, the
   * numbers that a tensor of all examples would have. Default: `"error"`.
   */
  readonly randomness?: Randomness;
}

type Randomness = "error" | "same" | "different";

/**
 * The function that applies `fn` to each of many examples at once, as `torch.func.vmap`: arguments and results have an
 * axis more than those that `fn` sees. `fn` runs once, on a stand-in for one example, and what it recorded is recorded
 * again with that axis. So loops over examples become large operations, without any change to `fn`.
 *
 * It nests with itself and with all other transforms, and what it gives can be differentiated: `vmap(grad(loss))`
 * gives the gradient of each example. Tensors that `fn` uses from outside are the same for all.
 *
 * - Shape: an argument `[..., size, ...]` is seen as `[..., ...]`; a result `[...]` becomes `[size, ...]`
 * - Random numbers: see {@link VmapOptions.randomness}
 * @throws ArgumentError if no argument is mapped, or `fn` draws random numbers and `randomness` does not say which.
 * ShapeError if sizes differ. StateError if `fn` reads a value, assigns to a state or calls `backward`.
 *
 * @example
 * ```ts
 * const distances = vmap((a: Tensor, b: Tensor) => a.sub(b).norm()); // [n, d] × [n, d] -> [n]
 * const perExample = vmap(grad(loss), { inDims: [null, 0, 0] })(weights, inputs, targets);
 * ```
 */
export function vmap<Args extends readonly Tensor[], Result>(
  fn: (...args: Args) => Result,
  options?: VmapOptions,
): (...args: Args) => TensorsOf<Result>;
export function vmap<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options?: VmapOptions,
): (...args: Args) => TensorsOf<Result>;
export function vmap(fn: (...args: never[]) => unknown, options: VmapOptions = {}): unknown {
  const { inDims = 0, outDims = 0, randomness = "error" } = options;
  return (...args: readonly unknown[]) => {
    const examples: { readonly tensor: Tensor; readonly axis: number }[] = [];
    const isOne = inDims === null || typeof inDims === "number";
    const dims = isOne ? args.map(() => inDims) : inDims;
    if (dims.length !== args.length) {
      throw argumentError`vmap: inDims must have an entry for each argument, got ${dims.length} for ${args.length}.`;
    }
    args.forEach((arg, i) => {
      const dim = dims[i];
      if (dim === null) return;
      for (const tensor of leavesOf(arg)) {
        examples.push({ tensor, axis: axisFor(tensor, dim) });
      }
    });
    const sizes = new Set(examples.map(({ tensor, axis }) => tensor.shape[axis]));
    if (sizes.size !== 1) throw differentSizes(examples.map(({ tensor }) => tensor.shape));
    const sketch = new Sketch([...sizes][0], randomness);
    const stands = examples.map(({ tensor, axis }) => {
      return sketch.standIn(moved(tensor, axis, 0));
    });
    const seen = args.map((arg, i) => {
      return dims[i] === null ? arg : mapTensors(arg, () => stands.shift());
    });
    const returned = trace("vmap", () => requireSynchronous("vmap", fn(...(seen as never[]))));
    const results = outputsOf("vmap", returned).map((output, i) => {
      const result = sketch.resultOf(output);
      const dim = typeof outDims === "number" ? outDims : outDims[i];
      return moved(result, 0, toAxis("vmap", dim, result.ndim));
    });
    return replaceTensors(returned, results);
  };
}

function axisFor(x: Tensor, dim: number): number {
  if (x.ndim > 0) return toAxis("vmap", dim, x.ndim);
  throw shapeError`vmap: a mapped argument must have an axis, got a scalar. Pass null for it in inDims.`;
}

function differentSizes(shapes: readonly (readonly number[])[]): Error {
  return shapes.length === 0
    ? argumentError`vmap: an argument must be mapped, got none. Pass the axis of one in inDims.`
    : shapeError`vmap: the mapped axes must have one size, got ${shapes}.`;
}

/** One axis at another place. */
function moved(x: Tensor, from: number, to: number): Tensor {
  const rest = spliced(firstAxes(x.ndim), from, 1);
  return x.permute(spliced(rest, to, 0, from));
}

/** What was recorded for one example, and what becomes of it for all. */
class Sketch {
  readonly #size: number;
  readonly #randomness: Randomness;
  /** The numbers of the examples. What was recorded before this node is the same for all of them. */
  readonly #numbers: Node;
  /** Likewise, what was recorded for gradients before this. */
  readonly #began = new History("vmap", [], []);
  /** By nodes for one example: those for all; the node itself if examples do not differ. */
  readonly #nodes = new Map<Node, Node>();
  /** By tensors that stand for one example: the tensors of all examples. */
  readonly #examples = new Map<Tensor, Tensor>();

  constructor(size: number, randomness: Randomness) {
    this.#size = size;
    this.#randomness = randomness;
    this.#numbers = iota(size);
  }

  /** A tensor of one example in place of `[size, ...]`. It has no value. */
  standIn(all: Tensor): Tensor {
    const box = new Box(all.dtype, all.shape.slice(1));
    box.name = "one example inside of vmap()";
    // Its node stands for a value that is gone: whoever asks for it gets an error.
    box.version++;
    const result = new Tensor(box.node);
    result.requiresGrad = all.requiresGrad && isGradEnabled();
    this.#nodes.set(box.node, all.node);
    this.#examples.set(result, all);
    return result;
  }

  /**
   * What a tensor becomes for all examples. Its gradient is that of one example, found by differentiating what was
   * recorded for one, for all examples.
   */
  resultOf(one: Tensor): Tensor {
    const size = this.#size;
    const node = this.#allOf(one.node);
    const inputs = one.requiresGrad && isGradEnabled() ? this.#sourcesOf(one) : [];
    const gradients = once((grad: Tensor) => {
      const parts = trace("vmap", () => {
        return partials("vmap", [one], inputs, [this.standIn(grad)], isGradEnabled());
      });
      return parts.map((part, i) => {
        return part === null ? zerosOf(inputs[i], size) : this.resultOf(part);
      });
    });
    return record(
      "vmap",
      node === one.node ? repeated(node, size) : node,
      inputs.map((input) => this.#examples.get(input) ?? input),
      inputs.map((_, i) => (grad) => gradients(grad)[i]),
    );
  }

  /** Where gradients leave what was recorded for one example: at stand-ins, and at what is the same for all. */
  #sourcesOf(one: Tensor): Tensor[] {
    const isOwn = ({ history }: Tensor) =>
      history !== undefined && history.order > this.#began.order;
    const found = reached([one], (tensor) => (isOwn(tensor) ? inputsOf(tensor) : []));
    return [...found].filter(
      (tensor) =>
        tensor.requiresGrad &&
        !isOwn(tensor) &&
        (this.#examples.has(tensor) || this.#allOf(tensor.node) === tensor.node),
    );
  }

  /** The node for all examples, after those that it is made of. */
  #allOf(root: Node): Node {
    const nodes = this.#nodes;
    const isKnown = (node: Node) => node.id < this.#numbers.id || nodes.has(node);
    const found = reached([root], (node) => (isKnown(node) ? [] : node.inputs));
    const missing = [...found].filter((node) => !isKnown(node));
    for (const node of missing.sort((a, b) => a.id - b.id)) {
      const inputs = node.inputs.map((input) => nodes.get(input) ?? input);
      const isShared = node.inputs.every((input, i) => input === inputs[i]);
      const isRandom = node.op === "philox" && this.#randomness !== "same";
      if (isRandom) inputs[0] = this.#counters(inputs[0], node.inputs[0]);
      const all = isShared && !isRandom ? node : batched(node, inputs, this.#size);
      nodes.set(node, all);
      watchBatched(node, all);
    }
    return nodes.get(root) ?? root;
  }

  /**
   * Where the random numbers of each example are in those of all: behind those of the ones before.
   *
   * @throws ArgumentError if nobody said that they shall differ.
   */
  #counters(counter: Node, one: Node): Node {
    if (this.#randomness === "error") {
      throw argumentError`vmap: randomness must be "same" or "different" where fn draws random numbers, got "error".`;
    }
    const example = reshape(this.#numbers, [this.#size, ...one.shape.map(() => 1)]);
    const before = element("mul", [example, constant(one.numel, "int32")], "int32");
    return element("add", [before, counter], "int32");
  }
}

function zerosOf(x: Tensor, size: number): Tensor {
  return literal(0, x).expand([size, ...x.shape]);
}
