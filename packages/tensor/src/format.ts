import { type DType, GradloomError, isFloat, show, type TypedArray } from "@gradloom/engine";

/** What printing needs to know of a tensor. */
interface Printable {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly requiresGrad: boolean;
  dataSync(): TypedArray;
}

/** Makes Node's `util.inspect`, and so `console.log`, print what `toString` gives. */
export function printAsText(prototype: object): void {
  // Declarations cannot name this key.
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value: prototype.toString,
  });
}

const lineWidth = 80;
/** More elements than this are cut down to `edgeItems` at both ends of each axis. */
const maxElements = 1000;
const edgeItems = 3;
const digits = 4;

/**
 * A tensor as text: its values, aligned as PyTorch does, then its shape, dtype and `requiresGrad`. If the
 * values cannot be had at once, the reason stands in their place; it never throws.
 */
export function formatTensor(tensor: Printable): string {
  const prefix = "tensor(";
  const parts = [
    formatValues(tensor, prefix.length),
    `shape=${show(tensor.shape)}`,
    `dtype=${tensor.dtype}`,
  ];
  if (tensor.requiresGrad) parts.push("requiresGrad=true");
  return `${prefix}${parts.join(", ")})`;
}

function formatValues(tensor: Printable, indent: number): string {
  let data: TypedArray;
  try {
    data = tensor.dataSync();
  } catch (error) {
    if (!(error instanceof GradloomError)) throw error;
    return `<${error.message}>`;
  }
  if (data.length === 0) return "[]";
  const cut = data.length > maxElements;
  const layOut = (text: (position: number) => string) =>
    arrange(tensor.shape, 0, cut, indent, text);
  // First which ones are seen: they have one style in common.
  const shown: number[] = [];
  layOut((position) => `${shown.push(data[position])}`);
  const texts = formatNumbers(shown, tensor.dtype);
  let next = 0;
  return layOut(() => texts[next++]);
}

/**
 * Puts brackets and line breaks around the texts of elements, which are asked for in their order, by position.
 *
 * @param base - How many parts of this shape lie before this one.
 * @param cut - Whether the middle of an axis is left out.
 */
function arrange(
  shape: readonly number[],
  base: number,
  cut: boolean,
  indent: number,
  text: (position: number) => string,
): string {
  if (shape.length === 0) return text(base).trim();
  const [size, ...inner] = shape;
  const skipped = cut ? Math.max(0, size - 2 * edgeItems) : 0;
  const items = Array.from({ length: size - skipped }, (_, i) => {
    const at = base * size + (i < edgeItems ? i : i + skipped);
    return inner.length === 0 ? text(at) : arrange(inner, at, cut, indent + 1, text);
  });
  if (skipped > 0) items.splice(edgeItems, 0, "...");
  if (inner.length > 0) {
    // An empty line more for each further axis, as PyTorch does.
    return `[${items.join(`,${"\n".repeat(inner.length)}${" ".repeat(indent + 1)}`)}]`;
  }
  const perLine = Math.max(1, Math.floor((lineWidth - indent) / (items[0].length + 2)));
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += perLine) {
    lines.push(items.slice(i, i + perLine).join(", "));
  }
  return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
}

/** Numbers in one common style, padded to one width. */
function formatNumbers(values: readonly number[], dtype: DType): string[] {
  const style =
    dtype === "bool"
      ? (value: number) => (value ? "true" : "false")
      : isFloat(dtype)
        ? floatStyle(values)
        : String;
  const texts = values.map(style);
  const width = largestOf(texts.map((text) => text.length));
  return texts.map((text) => text.padStart(width));
}

/** Not by spreading: a call takes only so many arguments. */
function largestOf(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => Math.max(a, b), 0);
}

/** Whole numbers end with a point; a wide range of magnitudes is written with exponents. */
function floatStyle(values: readonly number[]): (value: number) => string {
  const sizes = values.filter((value) => value !== 0 && Number.isFinite(value)).map(Math.abs);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const largest = largestOf(sizes);
  const whole = sizes.every(Number.isInteger);
  const scientific = largest / smallest > 1000 || largest > 1e8 || (!whole && smallest < 1e-4);
  return (value) => {
    if (!Number.isFinite(value))
      return String(value).replace("NaN", "nan").replace("Infinity", "inf");
    const text = scientific
      ? exponential(value)
      : whole
        ? `${value.toFixed(0)}.`
        : value.toFixed(digits);
    return Object.is(value, -0) ? `-${text}` : text;
  };
}

/** `1.2345e-05`: at least two digits in the exponent. */
function exponential(value: number): string {
  return value.toExponential(digits).replace(/e(.)(\d)$/, "e$10$2");
}
