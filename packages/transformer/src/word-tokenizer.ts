import { ArgumentError, checkOptions } from "@gradloom/tensor";

/** What turns text into ids and back. Sub-word tokenizers of other libraries fit in here. */
export interface Tokenizer {
  /** How many ids there are. */
  readonly vocabSize: number;
  encode(text: string): number[];
  decode(ids: Iterable<number>): string;
}

/** Options of {@link WordTokenizer}. */
export interface WordTokenizerOptions {
  /** Cuts a text into words. Default: at white space. */
  readonly split?: ((text: string) => string[]) | undefined;
  /** What stands between words in a decoded text. Default: a space. */
  readonly separator?: string | undefined;
}

/** Options of {@link WordTokenizer.fromTexts}. */
export interface VocabularyOptions extends WordTokenizerOptions {
  /** Words that occur less often are unknown. Default 1. */
  readonly minCount?: number | undefined;
}

/** Options of {@link WordTokenizer.encode}. */
export interface EncodeTextOptions {
  /** Whether to begin with `<bos>`. Default: false. */
  readonly bos?: boolean | undefined;
  /** Whether to end with `<eos>`. Default: false. */
  readonly eos?: boolean | undefined;
}

const special = ["<pad>", "<bos>", "<eos>", "<unk>"] as const;

/**
 * An id for each word. The first four are special: `<pad>` 0, `<bos>` 1, `<eos>` 2, and `<unk>` 3 for words that are not in
 * the vocabulary.
 *
 * @throws ArgumentError if a word occurs twice, or is one of the special ones.
 *
 * @example
 * ```ts
 * const chinese = WordTokenizer.fromTexts(["我 爱 吃 火锅", "你 爱 吃 米饭"]);
 * chinese.encode("我 爱 吃 米饭", { eos: true }); // [4, 5, 6, 9, 2]
 * ```
 */
export class WordTokenizer implements Tokenizer {
  readonly padId: number = 0;
  readonly bosId: number = 1;
  readonly eosId: number = 2;
  readonly unkId: number = 3;
  /** All words in the order of their ids, the special ones first: with it `new WordTokenizer` makes the same again. */
  readonly vocabulary: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #split: (text: string) => string[];
  readonly #separator: string;

  /** @param words - With or without the special ones in front. */
  constructor(words: Iterable<string>, options: WordTokenizerOptions = {}) {
    checkOptions("WordTokenizer", options, { split: true, separator: true });
    const given = [...words];
    const hasSpecial = special.every((word, i) => given[i] === word);
    this.vocabulary = hasSpecial ? given : [...special, ...given];
    this.#ids = new Map(this.vocabulary.map((word, id) => [word, id]));
    if (this.#ids.size !== this.vocabulary.length) {
      const twice = this.vocabulary.find((word, id) => this.#ids.get(word) !== id);
      throw new ArgumentError(
        `WordTokenizer: each word must occur once, and none be ${special.join(", ")}, got "${twice}" twice.`,
        { op: "WordTokenizer" },
      );
    }
    this.#split = options.split ?? ((text) => text.split(/\s+/).filter((word) => word !== ""));
    this.#separator = options.separator ?? " ";
  }

  /** A vocabulary of all words of some texts, in the order in which they occur first. */
  static fromTexts(texts: Iterable<string>, options: VocabularyOptions = {}): WordTokenizer {
    checkOptions("fromTexts", options, { minCount: true, split: true, separator: true });
    const { minCount = 1, ...splitting } = options;
    const splitter = new WordTokenizer([], splitting);
    const counts = new Map<string, number>();
    for (const text of texts) {
      for (const word of splitter.#split(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const words = [...counts].filter(([, count]) => count >= minCount).map(([word]) => word);
    return new WordTokenizer(
      words.filter((word) => !special.some((name) => name === word)),
      splitting,
    );
  }

  get vocabSize(): number {
    return this.vocabulary.length;
  }

  encode(text: string, options: EncodeTextOptions = {}): number[] {
    if (typeof text !== "string") {
      throw new ArgumentError(`encode: there must be a text, got ${String(text)}.`, {
        op: "encode",
      });
    }
    checkOptions("encode", options, { bos: true, eos: true });
    const ids = this.#split(text).map((word) => this.#ids.get(word) ?? this.unkId);
    return [...(options.bos ? [this.bosId] : []), ...ids, ...(options.eos ? [this.eosId] : [])];
  }

  /** The words without `<pad>`, `<bos>` and `<eos>`. @throws ArgumentError if an id is not in the vocabulary. */
  decode(ids: Iterable<number>): string {
    const { padId, bosId, eosId } = this;
    if (!(Symbol.iterator in Object(ids))) {
      throw new ArgumentError(
        `decode: ids must be a list, got ${String(ids)}. Of a tensor, pass await ids.array().`,
        { op: "decode" },
      );
    }
    return [...ids]
      .filter((id) => id !== padId && id !== bosId && id !== eosId)
      .map((id) => this.#word(id))
      .join(this.#separator);
  }

  #word(id: number): string {
    const word = this.vocabulary[id];
    if (word !== undefined) return word;
    throw new ArgumentError(`decode: ids must be in 0 … ${this.vocabSize - 1}, got ${id}.`, {
      op: "decode",
    });
  }
}
