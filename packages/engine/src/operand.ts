import { type Form, Variables } from "./form.ts";
import type { Guard, MatrixOperand } from "./kernel.ts";
import { type FormGuard, Trace, Untraceable } from "./trace.ts";
import type { Value } from "./value.ts";

/** Where the elements of a value are that is read where it is, through its views. */
interface Operand {
  /** The anchor or leaf below the views. */
  readonly base: Value;
  /** A variable for each axis; those that have been split are the digits of several loops. */
  readonly variables: Variables;
  readonly axes: readonly number[];
  readonly flat: Form;
  readonly guards: readonly FormGuard[];
}

/** The place of an operand, or `undefined`: not all of its elements are in one place. */
function operandOf(operand: Value): Operand | undefined {
  const variables = new Variables();
  const axes = variables.createAll(operand.shape, true);
  const trace = new Trace(variables, () => false);
  try {
    trace.value(operand, variables.forms(axes));
  } catch (error) {
    if (error instanceof Untraceable) return undefined;
    throw error;
  }
  const [step, ...others] = trace.code;
  if (step?.op !== "read" || step.index || step.outside || others.length > 0) return undefined;
  return {
    base: step.value,
    variables,
    axes,
    flat: variables.resolve(step.flat),
    guards: step.guards,
  };
}

/** An operand as an offset and a stride for each axis, if that is what its views come to. */
export function stridesOf(
  operand: Value,
):
  | { readonly base: Value; readonly offset: number; readonly strides: readonly number[] }
  | undefined {
  const place = operandOf(operand);
  if (!place || place.guards.length > 0) return undefined;
  const { base, variables, axes, flat } = place;
  const strides = variables.strides(flat, axes);
  return strides && { base, offset: flat.offset, strides };
}

/** The value that holds the same elements in the same order. */
export function wholeOf(value: Value): Value {
  return value.op === "reshape" && !value.isAnchor ? wholeOf(value.inputs[0]) : value;
}

/** The anchor or leaf below an operand's views. */
export function baseOf(operand: Value): Value {
  let base = operand;
  while (!base.isLeaf && !base.isAnchor) base = base.inputs[0];
  return base;
}

/** A matrix that is read where it is, through its views. */
export interface PlacedMatrix extends Omit<MatrixOperand, "buffer"> {
  readonly base: Value;
}

/** A batch of matrices: with strides or, if rows and columns are several loops each or have guards, with a window. */
export function matrixOf(operand: Value): PlacedMatrix | undefined {
  const base = baseOf(operand);
  // Until another value below it becomes an anchor, it is where it was.
  if (operand.matrixBase !== base) {
    operand.matrixBase = base;
    operand.matrix = placeMatrix(operand);
  }
  return operand.matrix;
}

function placeMatrix(operand: Value): PlacedMatrix | undefined {
  const place = operandOf(operand);
  if (!place) return undefined;
  const { base, variables, axes, flat, guards } = place;
  const { offset } = variables.resolve(flat);
  const whole = guards.length === 0 && variables.strides(flat, axes);
  if (whole) {
    const [rowStride, columnStride] = whole.slice(-2);
    return { base, offset, batchStrides: whole.slice(0, -2), rowStride, columnStride };
  }
  const matrix = axes.slice(-2).map((axis) => variables.leaves([axis]));
  const batch = axes.length - 2;
  const loops = [...axes.slice(0, batch), ...matrix.flat()];
  const strides = variables.strides(flat, loops);
  const bounds: Guard[] = [];
  for (const { form, size } of guards) {
    const own = variables.strides(form, loops);
    if (!own) return undefined;
    bounds.push({ offset: variables.resolve(form).offset, strides: own, size });
  }
  if (!strides) return undefined;
  const [rows, columns] = matrix.map((digits) => variables.sizes(digits));
  const window = { rows, columns, strides: strides.slice(batch), guards: bounds };
  const batchStrides = strides.slice(0, batch);
  return { base, offset, batchStrides, window, rowStride: 0, columnStride: 0 };
}
