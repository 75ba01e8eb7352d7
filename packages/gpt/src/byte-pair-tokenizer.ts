import { ArgumentError, IndexError } from "@gradloom/tensor";
import { requireIds, requireText } from "./requirements.ts";

/** Keeps a byte order mark, which is a character of the text like any other. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** What is used of an encoding of the npm package `gpt-tokenizer`, a module such as `gpt-tokenizer/encoding/r50k_base`. */
export interface ByteEncoding {
  readonly vocabularySize: number;
  encode(text: string, options: { readonly disallowedSpecial: Set<string> }): number[];
  decode(ids: Iterable<number>): string;
}

/** What each token stands for, text or bytes: a module such as `gpt-tokenizer/bpeRanks/r50k_base`. */
export type TokenBytes = readonly (string | readonly number[])[];

/**
 * A byte-pair tokenizer of the npm package `gpt-tokenizer`, which ships the vocabularies; `r50k_base` is GPT-2's. It is handed
 * in, so that whoever uses another tokenizer neither installs nor bundles one.
 *
 * - Source: Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes: Radford et al. 2019 (GPT-2)
 * @example
 * ```ts
 * import tokens from "gpt-tokenizer/bpeRanks/r50k_base";
 * import * as r50k from "gpt-tokenizer/encoding/r50k_base";
 * const tokenizer = new BytePairTokenizer(r50k, tokens);
 * tokenizer.encode("Hello world"); // [15496, 995]
 * ```
 */
export class BytePairTokenizer {
  /** How many tokens there are; 50,257 for GPT-2, the last of which ends a text. */
  readonly vocabSize: number;
  readonly #encoding: ByteEncoding;
  readonly #tokens: TokenBytes;

  constructor(encoding: ByteEncoding, tokens: TokenBytes) {
    if (typeof encoding?.encode !== "function" || !Array.isArray(tokens)) {
      throw new ArgumentError(
        "BytePairTokenizer: there must be an encoding and its tokens, got others. Pass the modules gpt-tokenizer/encoding/r50k_base and the default of gpt-tokenizer/bpeRanks/r50k_base.",
        { op: "BytePairTokenizer" },
      );
    }
    this.vocabSize = encoding.vocabularySize;
    this.#encoding = encoding;
    this.#tokens = tokens;
  }

  /** Any text has tokens. The name of a special token, `<|endoftext|>`, is text like all other. */
  encode(text: string): number[] {
    requireText("encode", text);
    return this.#encoding.encode(text, { disallowedSpecial: new Set() });
  }

  /**
   * The text of tokens; bytes that are no UTF-8, as where a character is cut in two, become �.
   *
   * @throws IndexError if an id is not below `vocabSize`.
   */
  decode(ids: readonly number[]): string {
    requireIds("decode", ids);
    // Not the library's: a character that was cut in two goes on in its next call there.
    return utf8.decode(Uint8Array.from(ids.flatMap((id) => this.#bytes(id))));
  }

  #bytes(id: number): readonly number[] {
    if (!(Number.isInteger(id) && id >= 0 && id < this.vocabSize)) {
      throw new IndexError("decode", id, this.vocabSize);
    }
    const token = this.#tokens[id] ?? this.#encoding.decode([id]);
    return typeof token === "string" ? [...new TextEncoder().encode(token)] : token;
  }
}
