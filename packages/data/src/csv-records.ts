import { type Context, malformed } from "./files.ts";

/** A record and the line on which it begins, from 1. */
export interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

/**
 * The records of CSV text, as RFC 4180 has it: fields may be in quotes, with delimiters, ends of lines and doubled quotes
 * in them. Lines end with `\n`, `\r\n` or `\r`; empty ones are left out.
 *
 * @throws DataError if a quote is not closed, or something follows one that is.
 */
export function* csvRecords(
  context: Context,
  text: string,
  delimiter: string,
): Generator<CsvRecord, void, undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const begin = line;
    const fields: string[] = [];
    for (;;) {
      let field: string;
      if (text[at] === '"') {
        field = "";
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0) {
            throw malformed(
              context,
              "a quoted field must be closed, got the end of the text",
              begin,
            );
          }
          field += text.slice(at + 1, close);
          at = close + 1;
          if (text[at] !== '"') break;
          field += '"';
        }
        line += field.match(/\r\n|\n|\r/g)?.length ?? 0;
        if (at < text.length && !`${delimiter}\r\n`.includes(text[at])) {
          throw malformed(
            context,
            `a quoted field must be followed by a delimiter or the end of its line, got ${JSON.stringify(text[at])}. Double quotes that are in a field`,
            line,
          );
        }
      } else {
        const start = at;
        while (
          at < text.length &&
          text[at] !== delimiter &&
          text[at] !== "\n" &&
          text[at] !== "\r"
        ) {
          at += 1;
        }
        field = text.slice(start, at);
      }
      fields.push(field);
      if (text[at] !== delimiter) break;
      at += 1;
    }
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    line += 1;
    if (fields.length > 1 || fields[0] !== "") yield { fields, line: begin };
  }
}
