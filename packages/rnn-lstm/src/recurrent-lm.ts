import { Dropout, Embedding, evaluating, Linear, Module } from "@gradloom/layers";
import {
  ArgumentError,
  checkOptions,
  compile,
  defaultGenerator,
  fromTypedArray,
  Generator,
  multinomial,
  noGrad,
  type Tensor,
  where,
} from "@gradloom/tensor";
import { GRU } from "./gru.ts";
import { LSTM } from "./lstm.ts";
import { RNN } from "./rnn.ts";
import type { State } from "./state.ts";

/** Options of {@link RecurrentLM}. */
export interface RecurrentLMOptions {
  /** How many different tokens there are. */
  readonly vocabSize: number;
  readonly embeddingDim: number;
  readonly hiddenSize: number;
  /** Default 1. */
  readonly numLayers?: number;
  /** What remembers. Default `'lstm'`. */
  readonly cell?: "rnn" | "lstm" | "gru";
  /** Of embeddings, between layers and of outputs, in training. Default 0. */
  readonly dropout?: number;
}

/** Options of {@link RecurrentLM.generate}. */
export interface GenerateOptions {
  /** How many tokens to add. Default 100. */
  readonly maxNewTokens?: number;
  /** Above 1 samples are bolder, below 1 more careful; 0 always takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Draws from the so many likeliest tokens only. Default: from all. */
  readonly topK?: number | undefined;
  /** Makes the samples repeatable. Default: what `manualSeed` has set goes on. */
  readonly seed?: number | undefined;
  /** Called with each new token, of the first sequence. */
  readonly onToken?: (id: number) => void;
  /** Stops early when aborted. */
  readonly signal?: { readonly aborted: boolean };
}

/**
 * A language model that reads one token after the other: `logits_t = head(h_t)`, `h_t` from a recurrent network on the
 * embeddings of the tokens so far.
 *
 * - Shape: `ids [batch, time]` (int32) `-> [logits [batch, time, vocabSize], state]`. The state goes on where the ids ended: pass it,
 *   detached, with the next ones for truncated back-propagation through time.
 * - Parameters: those of `embedding`, `rnn` and `head`
 * @throws IndexError if an id is not below `vocabSize`.
 */
export class RecurrentLM extends Module {
  readonly embedding: Embedding;
  readonly rnn: RNN | LSTM | GRU;
  readonly dropout: Dropout;
  readonly head: Linear;

  constructor(options: RecurrentLMOptions) {
    super();
    checkOptions("RecurrentLM", options, {
      vocabSize: true,
      embeddingDim: true,
      hiddenSize: true,
      numLayers: true,
      cell: true,
      dropout: true,
    });
    const {
      vocabSize,
      embeddingDim,
      hiddenSize,
      numLayers = 1,
      cell = "lstm",
      dropout = 0,
    } = options;
    this.embedding = new Embedding(vocabSize, embeddingDim);
    const sizes = { inputSize: embeddingDim, hiddenSize, numLayers, dropout };
    switch (cell) {
      case "rnn":
        this.rnn = new RNN(sizes);
        break;
      case "lstm":
        this.rnn = new LSTM(sizes);
        break;
      case "gru":
        this.rnn = new GRU(sizes);
        break;
      default:
        cell satisfies never;
        throw new ArgumentError(`RecurrentLM: cell must be "rnn", "lstm" or "gru", got ${cell}.`, {
          op: "RecurrentLM",
        });
    }
    this.dropout = new Dropout(dropout);
    this.head = new Linear(hiddenSize, vocabSize);
  }

  forward(ids: Tensor, state?: State): [logits: Tensor, state: State] {
    const x = this.dropout.forward(this.embedding.forward(ids));
    const [output, next] = this.#read(x, state);
    return [this.head.forward(this.dropout.forward(output)), next];
  }

  #read(x: Tensor, state: State | undefined): [output: Tensor, state: State] {
    const { rnn } = this;
    if (rnn instanceof LSTM) {
      return rnn.forward(x, state && [state[0], state[1]]);
    }
    const [output, h] = rnn.forward(x, state?.[0]);
    return [output, [h]];
  }

  /**
   * Goes on with a prompt, or with several of one length, token by token; the state is carried along, so each token costs
   * the same. Dropout is off meanwhile.
   *
   * @param ids - The prompt, with at least one token; or a list of prompts of one length.
   * @returns The same with the new tokens behind.
   * @throws ArgumentError if there is no prompt, prompts differ in length, or an option is out of range. IndexError if an id is
   * not below `vocabSize`.
   */
  async generate(ids: readonly number[], options?: GenerateOptions): Promise<number[]>;
  async generate(
    ids: readonly (readonly number[])[],
    options?: GenerateOptions,
  ): Promise<number[][]>;
  async generate(
    ids: readonly number[] | readonly (readonly number[])[],
    options: GenerateOptions = {},
  ): Promise<number[] | number[][]> {
    const { maxNewTokens = 100, temperature = 1, topK, seed, onToken, signal } = options;
    if (!Array.isArray(ids)) {
      throw new ArgumentError(
        `generate: ids must be a list, or a list of lists, got ${String(ids)}. Of a tensor, pass await ids.array().`,
        { op: "generate" },
      );
    }
    const isBatch = Array.isArray(ids[0]);
    const prompts = (isBatch ? ids : [ids]) as readonly (readonly number[])[];
    checkPrompts(prompts);
    checkOptions("generate", options, {
      maxNewTokens: true,
      temperature: true,
      topK: true,
      seed: true,
      onToken: true,
      signal: true,
    });
    checkRanges(maxNewTokens, temperature, topK);
    const results = prompts.map((prompt) => [...prompt]);
    const generator = seed === undefined ? defaultGenerator : new Generator(seed);
    const modules = this.modules();
    // One step, recorded once for all tokens.
    const recorded = compile((token: Tensor, ...state: Tensor[]) =>
      noGrad(() => {
        const [logits, next] = this.forward(token, state.length > 0 ? state : undefined);
        return [choose(logits.select(1, -1), temperature, topK, generator), ...next];
      }),
    );
    // Not from token to token: whoever trains meanwhile is not disturbed.
    const step = (...given: [Tensor, ...Tensor[]]) => evaluating(modules, () => recorded(...given));
    let [chosen, ...state] = step(matrixOf(prompts));
    for (let i = 0; i < maxNewTokens && !signal?.aborted; i++) {
      const tokens = await chosen.data();
      for (const [row, result] of results.entries()) result.push(Number(tokens[row]));
      onToken?.(Number(tokens[0]));
      if (i + 1 < maxNewTokens) [chosen, ...state] = step(chosen, ...state);
    }
    return isBatch ? results : results[0];
  }
}

/** `[batch, 1]`: the next token for each row of logits. */
function choose(
  logits: Tensor,
  temperature: number,
  topK: number | undefined,
  generator: Generator,
): Tensor {
  // Where logits are divided by less, they overflow; nothing but the likeliest has a chance there.
  if (temperature < 1e-30) return logits.argmax(-1, { keepdim: true });
  let scores = logits.div(temperature);
  if (topK !== undefined && topK < logits.shape[1]) {
    const least = scores.topk(topK, -1).values.amin(-1, { keepdim: true });
    scores = where(scores.lt(least), -Infinity, scores);
  }
  return multinomial(scores.softmax(-1), 1, { generator });
}

function matrixOf(prompts: readonly (readonly number[])[]): Tensor {
  return fromTypedArray(Int32Array.from(prompts.flat()), [prompts.length, prompts[0].length]);
}

function checkPrompts(prompts: readonly (readonly number[])[]): void {
  const lengths = prompts.map(({ length }) => length);
  if (!(lengths[0] > 0 && lengths.every((length) => length === lengths[0]))) {
    throw new ArgumentError(
      `generate: prompts must have one length, at least 1, got lengths ${lengths.join(", ") || "of none"}.`,
      { op: "generate" },
    );
  }
  const wrong = prompts.flat().find((id) => (id | 0) !== id);
  if (wrong !== undefined) {
    throw new ArgumentError(`generate: ids must be integers of 32 bits, got ${wrong}.`, {
      op: "generate",
    });
  }
}

function checkRanges(maxNewTokens: number, temperature: number, topK: number | undefined): void {
  const refuse = (rule: string, got: number) => {
    throw new ArgumentError(`generate: ${rule}, got ${got}.`, { op: "generate" });
  };
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 0) {
    refuse("maxNewTokens must be an integer of at least 0", maxNewTokens);
  }
  if (!(temperature >= 0 && temperature < Infinity)) {
    refuse("temperature must be a finite number of at least 0", temperature);
  }
  if (topK !== undefined && (!Number.isInteger(topK) || topK < 1)) {
    refuse("topK must be a positive integer", topK);
  }
}
