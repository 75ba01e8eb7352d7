import { ShapeError, Tensor } from "@gradloom/tensor";

/** What a recurrent network remembers: `[h]`, or `[h, c]` for an LSTM. */
export type State = readonly Tensor[];

/** @throws ShapeError unless a state is as many tensors as it must be, each of a shape whose axes have these names. */
export function checkState(
  op: string,
  state: State,
  count: number,
  shape: readonly number[],
  axes: string,
): void {
  const fits = (part: unknown) => part instanceof Tensor && String(part.shape) === String(shape);
  if (Array.isArray(state) && state.length === count && state.every(fits)) return;
  const got = (value: unknown): string =>
    value instanceof Tensor
      ? `[${value.shape.join(", ")}]`
      : Array.isArray(value)
        ? `a list of ${value.map(got).join(" and ") || "none"}`
        : typeof value;
  // A state of one tensor is given by itself.
  const given = count === 1 && Array.isArray(state) ? state[0] : state;
  throw new ShapeError(
    `${op}: the state must be ${count === 1 ? "" : "a list of h and c, each "}[${axes}] = [${shape.join(", ")}], ` +
      `got ${got(given)}. Without one, pass undefined; options come behind it.`,
    { op, shapes: [shape] },
  );
}
