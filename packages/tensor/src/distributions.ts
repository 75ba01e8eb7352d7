import {
  constant,
  type DType,
  type ElementOp,
  element,
  iota,
  isFloat,
  type Node,
  reshape,
  scalar,
} from "@gradloom/engine";
import { cast, checkShape } from "./create.ts";
import { engine } from "./engine.ts";
import { dtypeError } from "./errors.ts";
import { type Draw, type DrawSource, defaultGenerator } from "./generator.ts";
import { sizeOf } from "./shape.ts";

/** One of the four random words of each element. */
export type Bits = (word: number) => Node;

/** Random words for the elements of a shape: what the next tensor of the generator is made of. */
export function bits(
  op: string,
  shape: readonly number[],
  { generator = defaultGenerator }: { readonly generator?: DrawSource },
): Bits {
  checkShape(shape, op);
  let draw: Draw | undefined;
  // Once now, and again each time that a compiled function is replayed.
  engine().effect(() => {
    draw = generator.draw();
  });
  const inputs = [
    reshape(iota(sizeOf(shape)), [...shape]),
    scalar(() => draw!.stream, "int32"),
    scalar(() => draw!.key0, "int32"),
    scalar(() => draw!.key1, "int32"),
  ];
  return (word) => element("philox", inputs, "int32", [word]);
}

/** The upper bits of a word, as a number from 0 to `2 ** count - 1`. */
function upper(word: Node, count: number, dtype: DType): Node {
  return cast(element("shr", [word, constant(32 - count, "int32")], "int32"), dtype);
}

/** `a ∘ b` where `b` is a literal. */
function by(op: ElementOp, a: Node, b: number): Node {
  return element(op, [a, constant(b, a.dtype)], a.dtype);
}

/** An integer of 53 bits, from two words. */
function wide(bits: Bits, word: number): Node {
  const high = by("mul", upper(bits(word), 27, "float64"), 2 ** 26);
  return element("add", [high, upper(bits(word + 1), 26, "float64")], "float64");
}

/** Uniform on [0, 1). */
export function uniform(bits: Bits, dtype: DType, word = 0): Node {
  return dtype === "float64"
    ? by("mul", wide(bits, word), 2 ** -53)
    : by("mul", upper(bits(word), 24, dtype), 2 ** -24);
}

/** Uniform on (0, 1]: never 0, and fine-grained close to it. */
function positive(bits: Bits, dtype: DType): Node {
  return dtype === "float64"
    ? by("mul", by("add", wide(bits, 0), 1), 2 ** -53)
    : by("mul", by("add", upper(bits(0), 31, dtype), 1), 2 ** -31);
}

/** Box and Muller's: a random direction, and a length whose square is exponentially distributed. */
export function normal(bits: Bits, dtype: DType): Node {
  const square = by("mul", element("log", [positive(bits, dtype)], dtype), -2);
  const turn = uniform(bits, dtype, dtype === "float64" ? 2 : 1);
  const angle = by("mul", by("sub", turn, 0.5), 2 * Math.PI); // in [-π, π)
  const factors = [element("sqrt", [square], dtype), element("cos", [angle], dtype)];
  return element("mul", factors, dtype);
}

/** Exponentially distributed with mean 1, in (0, 64]: the end keeps a rare infinity out. */
export function exponential(bits: Bits, dtype: DType): Node {
  const minus = element("neg", [positive(bits, dtype)], dtype);
  return by("min", element("neg", [element("log1p", [minus], dtype)], dtype), 64);
}

/**
 * The dtype of random numbers on a continuous scale.
 *
 * @throws DTypeError if it is not floating.
 */
export function floatOf(op: string, dtype: DType = "float32"): DType {
  if (isFloat(dtype)) return dtype;
  throw dtypeError`${op}: the dtype must be float32 or float64, got ${dtype}.`;
}
