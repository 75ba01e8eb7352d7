import { ArgumentError, IndexError } from "@gradloom/tensor";
import { requireIds, requireText } from "./requirements.ts";

/**
 * Each character (Unicode code point) of some text is a token; ids are in the order of code points.
 *
 * @example
 * ```ts
 * const tokenizer = new CharTokenizer("hello");
 * tokenizer.decode(tokenizer.encode("hole")); // "hole"
 * ```
 */
export class CharTokenizer {
  /** The character of each id. */
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param text - Has all characters there are; which ones is all that counts, so `characters.join("")` makes the same one. */
  constructor(text: string) {
    requireText("CharTokenizer", text);
    const order = (a: string, b: string) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
    this.characters = [...new Set(text)].sort(order);
    this.#ids = new Map(this.characters.map((character, id) => [character, id]));
  }

  /** How many different characters there are. */
  get vocabSize(): number {
    return this.characters.length;
  }

  /** @throws ArgumentError if a character is none of those known. */
  encode(text: string): number[] {
    requireText("encode", text);
    return Array.from(text, (character) => {
      const id = this.#ids.get(character);
      if (id !== undefined) return id;
      throw new ArgumentError(
        `encode: characters must be among the ${this.vocabSize} known ones, got ${JSON.stringify(character)}.`,
        { op: "encode" },
      );
    });
  }

  /** @throws IndexError if an id is not below `vocabSize`. */
  decode(ids: readonly number[]): string {
    requireIds("decode", ids);
    return Array.from(ids, (id) => {
      const character = typeof id === "number" ? this.characters[id] : undefined;
      if (character !== undefined) return character;
      throw new IndexError("decode", id, this.vocabSize);
    }).join("");
  }
}
