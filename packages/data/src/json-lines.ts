import { IterableDataset } from "./dataset.ts";
import { malformed } from "./files.ts";
import { linesOf } from "./text.ts";

/**
 * A file with a JSON value in each line, read piece by piece; empty lines are left out.
 *
 * @throws DataError if the file cannot be read, or a line is no JSON; it has the `path` and the `line`.
 *
 * @example
 * ```ts
 * const dataset = new JsonLinesDataset<{ text: string; label: number }>("reviews.jsonl");
 * for await (const { text, label } of new DataLoader(dataset, { batchSize: 32 })) { … }
 * ```
 */
export class JsonLinesDataset<T> extends IterableDataset<T> {
  readonly path: string;

  constructor(path: string) {
    super();
    this.path = path;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const context = { op: "JsonLinesDataset", path: this.path };
    let line = 0;
    for await (const text of linesOf(context)) {
      line += 1;
      if (text.trim() === "") continue;
      let value: T;
      try {
        value = JSON.parse(text);
      } catch (error) {
        const got = text.length > 60 ? `${text.slice(0, 60)}…` : text;
        throw malformed(
          context,
          `a line must be JSON, got ${got} (${(error as Error).message})`,
          line,
        );
      }
      yield value;
    }
  }
}
