import { ArgumentError, DTypeError, ShapeError, StateError } from "@gradloom/engine";

/** Shapes or axes do not fit: `<op>: <text>`, and the shapes for callers that do not want to parse it. */
export function shapeError(
  op: string,
  text: string,
  ...shapes: readonly (readonly number[])[]
): ShapeError {
  return new ShapeError(`${op}: ${text}`, { op, shapes });
}

/** A value or an option is outside what is allowed. */
export function argumentError(op: string, text: string): ArgumentError {
  return new ArgumentError(`${op}: ${text}`, { op });
}

/** An element type does not fit. */
export function dtypeError(op: string, text: string): DTypeError {
  return new DTypeError(`${op}: ${text}`, { op });
}

/** Something is used when it cannot be. */
export function stateError(op: string, text: string): StateError {
  return new StateError(`${op}: ${text}`, { op });
}
