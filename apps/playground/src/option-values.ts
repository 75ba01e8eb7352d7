// The values that flags take: text to value, or an error that says what the flag needs.
import { InvalidArgumentError } from "commander";
import { whole } from "./numbers.ts";

/** A whole number from `minimum` to `maximum`, both included. */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(
        `It must be a whole number from ${minimum} to ${whole(maximum)}.`,
      );
    }
    return value;
  };
}

/** A finite number greater than zero. */
export function positive(text: string): number {
  const value = number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number greater than 0.");
  return value;
}

/** A finite number, zero or greater. */
export function nonNegative(text: string): number {
  const value = number(text);
  if (!(value >= 0)) throw new InvalidArgumentError("It must be 0 or a number greater than 0.");
  return value;
}

/** Any finite number. */
export function finite(text: string): number {
  const value = number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError("It must be a finite number.");
  return value;
}

/** Finite numbers with commas between them, such as `1,2,3`. */
export function finiteList(text: string): number[] {
  const values = text.split(",").map(number);
  if (values.some(Number.isNaN)) {
    throw new InvalidArgumentError("It must be finite numbers with commas between, such as 1,2,3.");
  }
  return values;
}

/** Sizes of hidden layers with commas between them, such as `64,64`. */
export function sizes(text: string): number[] {
  const values = text.split(",").map(number);
  if (!values.every((value) => Number.isInteger(value) && value >= 1 && value <= 8192)) {
    throw new InvalidArgumentError(
      "It must be whole numbers from 1 to 8,192 with commas between, such as 64,64.",
    );
  }
  return values;
}

/** The number that a text is, or NaN: for anything that is not a finite decimal number as well. */
function number(text: string): number {
  const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const value = decimal.test(text.trim()) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}
