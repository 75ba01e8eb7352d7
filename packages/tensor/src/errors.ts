import {
  ArgumentError,
  DTypeError,
  type ErrorDetails,
  ShapeError,
  StateError,
} from "@gradloom/engine";

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
  if (typeof value !== "object") return [];
  return isList(value) ? value : [value];
}

function isList(value: Shape | readonly Shape[]): value is readonly Shape[] {
  return typeof value[0] === "object";
}

/** A shape as messages show it. */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** Where an element is, from its position in row-major order: `[1][2]`. */
export function pathTo(position: number, shape: readonly number[]): string {
  let rest = position;
  let path = "";
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    path = `[${rest % shape[axis]}]${path}`;
    rest = Math.floor(rest / shape[axis]);
  }
  return path === "" ? "[]" : path;
}
