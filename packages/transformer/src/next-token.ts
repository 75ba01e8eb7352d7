import { evaluating, type Module } from "@gradloom/layers";
import { cat, compile, noGrad, type Tensor, tensor } from "@gradloom/tensor";
import { DecoderCache } from "./decoder-cache.ts";
import type { Transformer } from "./transformer.ts";

/** What the target is written for. */
interface Source {
  readonly memory: Tensor;
  readonly srcPaddingMask: Tensor | undefined;
}

/** Writes targets token by token: with a cache, where each token costs the same; or without, by reading all of them again. */
export class NextToken {
  readonly #model: Transformer;
  readonly #modules: readonly Module[];
  readonly #source: Source;
  readonly #read: (logits: Tensor) => Tensor;
  readonly #cache: DecoderCache | undefined;
  #step: ((ids: Tensor, start: Tensor, ...from: Tensor[]) => Tensor) | undefined;
  #ids: Tensor | undefined;

  /** @param read - What to make of the logits `[batch, vocabulary]` of the next token. */
  constructor(
    model: Transformer,
    source: Source,
    useCache: boolean,
    read: (logits: Tensor) => Tensor,
  ) {
    this.#model = model;
    this.#modules = model.modules();
    this.#source = source;
    this.#read = read;
    this.#cache = useCache ? new DecoderCache() : undefined;
  }

  /**
   * @param ids - The last token of each sequence, `[batch, 1]`.
   * @param from - Which of the sequences before it continues, `[batch]`. Default: its own.
   */
  after(ids: Tensor, from?: Tensor): Tensor {
    // Only while a token is recorded: whoever trains between two of them is not disturbed.
    return evaluating(this.#modules, () =>
      this.#cache === undefined ? this.#again(ids, from) : this.#on(this.#cache, ids, from),
    );
  }

  #on(cache: DecoderCache, ids: Tensor, from: Tensor | undefined): Tensor {
    const model = this.#model;
    const { memory, srcPaddingMask } = this.#source;
    const isNew = cache.reserve(model.decoder, memory, srcPaddingMask, 1);
    // One step, recorded once for all tokens that there is room for.
    if (isNew || this.#step === undefined) {
      this.#step = compile((ids: Tensor, start: Tensor, ...from: Tensor[]) => {
        if (from.length > 0) cache.reorder(from[0]);
        return noGrad(() => this.#read(model.continue(ids, cache, start).select(1, -1)));
      });
    }
    const start = tensor(cache.position, { dtype: "int32" });
    const result = this.#step(ids, start, ...(from === undefined ? [] : [from]));
    cache.advance(1);
    return result;
  }

  #again(ids: Tensor, from: Tensor | undefined): Tensor {
    const before = from === undefined ? this.#ids : this.#ids?.indexSelect(from, 0);
    const all = before === undefined ? ids : cat([before, ids], 1);
    this.#ids = all;
    const { memory, srcPaddingMask } = this.#source;
    return noGrad(() =>
      this.#read(this.#model.decode(all, memory, { srcPaddingMask }).select(1, -1)),
    );
  }
}
