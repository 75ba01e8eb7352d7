import { DataError } from "./data-error.ts";
import { readText } from "./text.ts";

/**
 * A number for each token, a character or a word.
 *
 * @example
 * ```ts
 * const vocabulary = Vocabulary.ofCharacters("hello");
 * vocabulary.encode("hole"); // [1, 3, 2, 0]
 * vocabulary.decode([1, 0]); // "he"
 * ```
 */
export class Vocabulary {
  /** The tokens by their numbers. */
  readonly tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #split: (text: string) => string[];
  readonly #unknown: number | undefined;

  /**
   * @param tokens - In the order of their numbers.
   * @param split - How a text falls into tokens. Default: into characters.
   * @param unknown - The token that stands for any other. Default: another one is an error.
   */
  constructor(
    tokens: readonly string[],
    split: (text: string) => string[] = characters,
    unknown?: string,
  ) {
    this.tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    this.#split = split;
    this.#unknown = unknown === undefined ? undefined : this.#ids.get(unknown);
  }

  /** The characters of a text, in the order of their codes. */
  static ofCharacters(text: string): Vocabulary {
    return new Vocabulary(inOrder(new Set(characters(text))));
  }

  /** The most frequent words of a text, in small letters, with signs as words; `<unk>`, number 0, is any other word. */
  static ofWords(text: string, size: number = Number.POSITIVE_INFINITY): Vocabulary {
    const counts = new Map<string, number>();
    for (const word of words(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const frequent = inOrder(counts.keys()).sort((a, b) => counts.get(b)! - counts.get(a)!);
    return new Vocabulary([unknownWord, ...frequent.slice(0, size - 1)], words, unknownWord);
  }

  get size(): number {
    return this.tokens.length;
  }

  /** A text as numbers. @throws DataError which token has none. */
  encode(text: string): number[] {
    return this.#split(text).map((token, i) => {
      const id = this.#ids.get(token) ?? this.#unknown;
      if (id !== undefined) return id;
      throw new DataError(
        `Vocabulary: a token must be one of the ${this.size}, got ${JSON.stringify(token)} as number ${i}.`,
        { op: "Vocabulary" },
      );
    });
  }

  /** Numbers as a text: characters in a row, words with spaces between them. */
  decode(ids: ArrayLike<number>): string {
    const tokens = Array.from(ids, (id) => this.tokens[id] ?? unknownWord);
    return tokens.join(this.#split === characters ? "" : " ");
  }
}

const unknownWord = "<unk>";

function characters(text: string): string[] {
  return [...text];
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*|[^\s\p{L}\p{N}]/gu) ?? [];
}

/** By code units: the same on every machine, whatever its language. */
function inOrder(tokens: Iterable<string>): string[] {
  return [...tokens].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * A text file as a string.
 *
 * @throws DataError if it cannot be read, or is not text of UTF-8.
 */
export function loadText(path: string): Promise<string> {
  return readText("loadText", path);
}
