/** What an error is about, for callers that do not want to parse its message. */
export interface ErrorDetails {
  /** The operation that refused: `"matmul"`, `"backward"`, … Default: what the message starts with. */
  readonly op?: string;
  /** The shapes that it got. */
  readonly shapes?: readonly (readonly number[])[];
}

/**
 * Every error that Gradloom throws on purpose. The message reads `<operation>: <what> must <rule>,
 * got <values>. <way out>`.
 */
export class GradloomError extends Error {
  override readonly name: string = "GradloomError";
  readonly op: string;
  readonly shapes: readonly (readonly number[])[] | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message);
    this.op = details.op ?? message.split(":", 1)[0];
    this.shapes = details.shapes;
  }
}

/** Shapes or axes do not fit. */
export class ShapeError extends GradloomError {
  override readonly name = "ShapeError";
}

/** An element type does not fit. */
export class DTypeError extends GradloomError {
  override readonly name = "DTypeError";
}

/** A value or an option is outside what is allowed. */
export class ArgumentError extends GradloomError {
  override readonly name = "ArgumentError";
}

/** An index that was computed, or given as data, is out of range. */
export class IndexError extends GradloomError {
  override readonly name = "IndexError";

  /**
   * @param op - The operation that was given the index.
   * @param value - The index.
   * @param size - How many positions there are.
   */
  constructor(op: string, value: number, size: number) {
    const range = size === 0 ? "there are no positions" : `must be in 0 … ${size - 1}`;
    super(`${op}: an index ${range}, got ${value}.`, { op });
  }
}

/** Something is used when it cannot be: a value that is gone, a graph that was freed. */
export class StateError extends GradloomError {
  override readonly name = "StateError";
}

/** A backend cannot do what it was asked: no memory, a thread that died, no support on this host. */
export class BackendError extends GradloomError {
  override readonly name = "BackendError";
}

type Shape = readonly number[];
type Value = string | number | Shape | readonly Shape[];

/** Makes an error of its text; arrays are shapes, or lists of shapes, which the error carries as well as shows. */
type ErrorTag<E> = (text: TemplateStringsArray, ...values: readonly Value[]) => E;

/** Shapes or axes do not fit: `` shapeError`matmul: sizes must be equal, got ${a.shape} and ${b.shape}.` `` */
export const shapeError: ErrorTag<ShapeError> = tagFor(ShapeError);

/** A value or an option is outside what is allowed. */
export const argumentError: ErrorTag<ArgumentError> = tagFor(ArgumentError);

/** An element type does not fit. */
export const dtypeError: ErrorTag<DTypeError> = tagFor(DTypeError);

/** Something is used when it cannot be. */
export const stateError: ErrorTag<StateError> = tagFor(StateError);

function tagFor<E>(Kind: new (message: string, details: ErrorDetails) => E): ErrorTag<E> {
  return (text, ...values) => {
    const shown = values.map((value) => shapesIn(value).map(show).join(" and ") || value);
    const message = String.raw({ raw: text }, ...shown);
    const shapes = values.flatMap(shapesIn);
    return new Kind(message, shapes.length > 0 ? { shapes } : {});
  };
}

function shapesIn(value: Value): readonly Shape[] {
  if (!Array.isArray(value)) return [];
  return isList(value) ? value : [value];
}

function isList(value: Shape | readonly Shape[]): value is readonly Shape[] {
  return Array.isArray(value[0]);
}

/** A shape as messages show it. */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
