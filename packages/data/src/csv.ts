import { checkOptions, fromTypedArray, type Tensor } from "@gradloom/tensor";
import { refusal } from "./argument.ts";
import { type CsvRecord, csvRecords } from "./csv-records.ts";
import { Dataset } from "./dataset.ts";
import { type Context, malformed } from "./files.ts";
import { readText } from "./text.ts";

/** A row of a table: numbers and texts by the names of their columns. */
export type Row = Readonly<Record<string, number | string>>;

/** What a column holds. */
export type ColumnType = "number" | "text";

/** Options of {@link loadCsv}. */
export interface CsvOptions {
  /** What is between fields: one character. Default: `,`. */
  readonly delimiter?: string;
  /** The names of the columns; `true` if they are the first record. Default: true. */
  readonly header?: true | readonly string[];
  /** What columns hold. Default: numbers, if every field of the column is one or missing; else texts. */
  readonly types?: Readonly<Record<string, ColumnType>>;
  /** Fields that stand for a number that is missing, besides the empty one: they are NaN. Default: `NA`, `NaN` and `null`. */
  readonly missing?: readonly string[];
}

/** The rows of a table, with columns of numbers and of texts. */
export class Table extends Dataset<Row> {
  readonly length: number;
  /** The names of the columns. */
  readonly columns: readonly string[];
  readonly #values: ReadonlyMap<string, Float64Array | readonly string[]>;

  constructor(length: number, values: ReadonlyMap<string, Float64Array | readonly string[]>) {
    super();
    this.length = length;
    this.columns = [...values.keys()];
    this.#values = values;
  }

  get(index: number): Row {
    return Object.fromEntries(
      Array.from(this.#values, ([name, values]): [string, number | string] => [
        name,
        values[index],
      ]),
    );
  }

  /** What a column holds. @throws ArgumentError if there is no such column. */
  column(name: string): Float64Array | readonly string[] {
    const found = this.#values.get(name);
    if (found !== undefined) return found;
    throw refusal("Table", `a column must be one of ${this.columns.join(", ")}, got ${name}`);
  }

  /**
   * Columns of numbers side by side: `[length, names.length]`, float32.
   *
   * @throws ArgumentError if a column is not there, or holds texts.
   */
  tensor(names: readonly string[]): Tensor {
    const data = new Float32Array(this.length * names.length);
    names.forEach((name, j) => {
      const values = this.column(name);
      if (!(values instanceof Float64Array)) {
        throw refusal("Table", `column ${name} must hold numbers, got texts. Use categories()`);
      }
      for (let i = 0; i < this.length; i++) data[i * names.length + j] = values[i];
    });
    return fromTypedArray(data, [this.length, names.length]);
  }

  /**
   * A column as classes: which of its different values each row has, int32 `[length]`, and the values in order.
   *
   * @throws ArgumentError if the column is not there.
   */
  categories(name: string): { ids: Tensor; names: readonly string[] } {
    const values = Array.from<number | string, string>(this.column(name), String);
    const names = [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
    const ids = new Map(names.map((value, id) => [value, id]));
    return { ids: fromTypedArray(Int32Array.from(values, (value) => ids.get(value)!)), names };
  }
}

/**
 * Reads a table of CSV, as RFC 4180 has it: quotes, ends of lines in quotes, any end of line.
 *
 * @throws DataError if the file cannot be read, is not text, or a record has more or fewer fields than there are columns; it
 * has the `path` and the `line`.
 *
 * @example
 * ```ts
 * const table = await loadCsv("penguins.csv");
 * const x = table.tensor(["bill_length", "body_mass"]);
 * const { ids, names } = table.categories("species");
 * const dataset = new TensorDataset(x, ids);
 * ```
 */
export async function loadCsv(path: string, options: CsvOptions = {}): Promise<Table> {
  return tableOf({ op: "loadCsv", path }, await readText("loadCsv", path), options);
}

/** {@link loadCsv} for a text in memory, also in browsers. */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  return tableOf({ op: "parseCsv" }, text.replace(/^\uFEFF/, ""), options);
}

function tableOf(context: Context, text: string, options: CsvOptions): Table {
  checkOptions(context.op, options, { delimiter: true, header: true, types: true, missing: true });
  const { delimiter = ",", header = true, types = {}, missing = ["NA", "NaN", "null"] } = options;
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw refusal(
      context.op,
      `the delimiter must be one character, no quote and no end of line, got ${JSON.stringify(delimiter)}`,
    );
  }
  const records = [...csvRecords(context, text, delimiter)];
  const names = header === true ? records.shift()?.fields : header;
  if (names === undefined) throw malformed(context, "the table must have a header, got no line");
  if (new Set(names).size < names.length) {
    throw malformed(context, `columns must have different names, got ${names.join(", ")}`, 1);
  }
  const odd = records.find(({ fields }) => fields.length !== names.length);
  if (odd !== undefined) {
    throw malformed(
      context,
      `a record must have ${names.length} fields, got ${odd.fields.length}`,
      odd.line,
    );
  }
  const unknown = Object.keys(types).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw refusal(context.op, `types must be of columns ${names.join(", ")}, got ${unknown}`);
  }
  const gaps = new Set(["", ...missing]);
  const columns = names.map((name, j): [string, Float64Array | string[]] => [
    name,
    columnOf(context, records, j, name, types[name], gaps),
  ]);
  return new Table(records.length, new Map(columns));
}

function columnOf(
  context: Context,
  records: readonly CsvRecord[],
  j: number,
  name: string,
  type: ColumnType | undefined,
  gaps: ReadonlySet<string>,
): Float64Array | string[] {
  const numbers = new Float64Array(records.length);
  for (let i = 0; i < records.length && type !== "text"; i++) {
    const field = records[i].fields[j].trim();
    numbers[i] = gaps.has(field) ? Number.NaN : Number(field);
    if (!Number.isNaN(numbers[i]) || gaps.has(field)) continue;
    if (type === undefined) return columnOf(context, records, j, name, "text", gaps);
    const { line } = records[i];
    throw malformed(
      context,
      `column ${name} must hold numbers, got ${JSON.stringify(field)}`,
      line,
    );
  }
  return type === "text" ? records.map(({ fields }) => fields[j]) : numbers;
}
