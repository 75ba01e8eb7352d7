import { type Context, malformed, readBytes, streamBytes } from "./files.ts";

/** A text file as a string, without a byte order mark. @throws DataError if it is not text of UTF-8. */
export async function readText(op: string, path: string): Promise<string> {
  return decoded({ op, path }, await readBytes(op, path));
}

function decoded(context: Context, bytes: Uint8Array): string {
  const text = decoding(context, () => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  refuseBinary(context, text);
  return text;
}

function decoding(context: Context, decode: () => string): string {
  try {
    return decode();
  } catch {
    throw malformed(context, "the file must be text in UTF-8, got other bytes");
  }
}

function refuseBinary(context: Context, text: string): void {
  if (text.includes("\0")) throw malformed(context, "the file must be text, got a zero byte");
}

/**
 * The lines of a text file, read piece by piece: a file may be larger than memory. Ends of lines (`\n` or `\r\n`) are left out.
 *
 * @throws DataError if the file cannot be read, or is not text of UTF-8.
 *
 * @example
 * ```ts
 * for await (const line of readLines("corpus.txt")) { … }
 * ```
 */
export function readLines(path: string): AsyncGenerator<string, void, undefined> {
  return linesOf({ op: "readLines", path });
}

/** {@link readLines}, for who has a name of its own. */
export async function* linesOf(
  context: Context & { readonly path: string },
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const clean = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);
  /** The pieces of a line whose end has not come yet. */
  let begun: string[] = [];
  for await (const bytes of streamBytes(context.op, context.path)) {
    const text = decoding(context, () => decoder.decode(bytes, { stream: true }));
    refuseBinary(context, text);
    const lines = text.split("\n");
    if (lines.length === 1) {
      begun.push(text);
      continue;
    }
    begun.push(lines[0]);
    yield clean(begun.join(""));
    for (let i = 1; i < lines.length - 1; i++) yield clean(lines[i]);
    begun = [lines[lines.length - 1]];
  }
  begun.push(decoding(context, () => decoder.decode()));
  const last = begun.join("");
  if (last !== "") yield clean(last);
}
