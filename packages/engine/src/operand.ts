import { type Form, Variables } from "./form.ts";
import type { Guard, MatrixOperand, Window } from "./kernel.ts";
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
  const strides = axes.map((axis) => strideAlong(variables, flat, axis));
  if (strides.includes(undefined)) return undefined;
  return { base, offset: flat.offset, strides: strides as number[] };
}

/** The value that holds the same elements in the same order. */
export function wholeOf(value: Value): Value {
  return value.op === "reshape" && !value.isAnchor ? wholeOf(value.inputs[0]) : value;
}

/**
 * A batch of matrices whose rows and columns are several loops each, or have guards; `undefined` if it is no such thing.
 */
export function windowOf(
  operand: Value,
): (Pick<MatrixOperand, "offset" | "batchStrides"> & { base: Value; window: Window }) | undefined {
  const place = operandOf(operand);
  if (!place) return undefined;
  const { base, variables, axes, flat, guards } = place;
  const matrix = axes.slice(-2).map((axis) => variables.leaves(axis));
  const batch = axes.slice(0, -2);
  const loops = [...batch, ...matrix.flat()];
  const along = (form: Form) => loops.map((loop) => strideAlong(variables, form, loop));
  const strides = along(flat);
  const bounds = guards.map(({ form, size }) => {
    const { offset } = variables.resolve(form);
    return { offset, strides: along(form), size };
  });
  const all = [strides, ...bounds.map((bound) => bound.strides)];
  if (all.some((list) => list.includes(undefined))) return undefined;
  const [rows, columns] = matrix.map((digits) => variables.sizes(digits));
  const numbers = strides as number[];
  return {
    base,
    offset: variables.resolve(flat).offset,
    batchStrides: numbers.slice(0, batch.length),
    window: { rows, columns, strides: numbers.slice(batch.length), guards: bounds as Guard[] },
  };
}

/** By how much a form grows with each step of a loop, or `undefined` if that depends on where. */
export function strideAlong(variables: Variables, form: Form, loop: number): number | undefined {
  const { terms } = variables.resolve(form);
  const leaves = variables.leaves(loop);
  let stride = 0;
  let size = 1;
  for (let i = leaves.length - 1; i >= 0; i--) {
    const factor = terms.find(({ variable }) => variable === leaves[i])?.factor ?? 0;
    if (i === leaves.length - 1) stride = factor;
    else if (factor !== stride * size) return undefined;
    size *= variables.size(leaves[i]);
  }
  return stride;
}
