import type { Box } from "./box.ts";
import { createArray, type TypedArray } from "./dtype.ts";
import { affine, reshape, slice } from "./graph.ts";
import type { Node } from "./node.ts";
import { rowMajor } from "./shape.ts";

/** Where the elements of a value are that exists: in which box, from which element on, with a stride for each axis. */
interface Place {
  readonly leaf: Node;
  readonly box: Box;
  readonly offset: number;
  readonly strides: readonly number[];
}

/**
 * A slice of what a value holds, through views of it, as a part of that value: then where it starts is not in the structure of
 * the graph, and one plan does for all batches of a data set, all windows of a text. Any other slice is recorded as such.
 */
export function slicePlaced(
  x: Node,
  starts: readonly number[],
  steps: readonly number[],
  shape: readonly number[],
): Node {
  const place = placeOf(x);
  if (!place || shape.includes(0)) return slice(x, starts, steps, shape);
  const { leaf, box, strides } = place;
  const factors = strides.map((stride, axis) => stride * steps[axis]);
  // From the first element to those at the lowest and the highest place.
  let first = place.offset;
  let low = 0;
  let high = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    first += starts[axis] * strides[axis];
    const last = (shape[axis] - 1) * factors[axis];
    low += Math.min(last, 0);
    high += Math.max(last, 0);
  }
  const part = box.part(first + low, high - low + 1).node;
  // Its memory is not given back.
  leaf.consumed = true;
  return isRowMajor(factors, shape) ? reshape(part, shape) : affine(part, [-low], [factors], shape);
}

/**
 * Values on the heap, one behind the other in an array; `undefined` if some are elsewhere, or would have to take turns. So the items of a
 * batch need no places in the plan, the structure of which would follow how many there are, and which of them are the same.
 */
export function joinPlaced(inputs: readonly Node[], axis: number): TypedArray | undefined {
  const parts: TypedArray[] = [];
  let length = 0;
  for (const input of inputs) {
    const { shape, numel } = input;
    const place = placeOf(input);
    const host = place?.box.storage.host;
    const isSplit = shape.slice(0, axis).some((size) => size > 1);
    if (!host || isSplit || !isRowMajor(place!.strides, shape)) return;
    parts.push(host.subarray(place!.offset, place!.offset + numel));
    length += numel;
  }
  const joined = createArray(inputs[0].dtype, length);
  let start = 0;
  for (const part of parts) {
    joined.set(part, start);
    start += part.length;
  }
  return joined;
}

function placeOf(node: Node): Place | undefined {
  const { box, op, shape, attributes } = node;
  if (box) {
    const { source = box, offset } = box;
    const { host, address } = source.storage;
    const exists = node.version === box.version && (host ?? address) !== undefined;
    // States change, and so does what can be read until one does: it is given back then.
    if (!exists || node.dependsOnState) return undefined;
    return { leaf: node, box: source, offset, strides: rowMajor(shape) };
  }
  if (op !== "permute" && op !== "reshape" && op !== "affine") return undefined;
  const [x] = node.inputs;
  const place = placeOf(x);
  if (!place) return undefined;
  const { strides } = place;
  if (op === "permute") return { ...place, strides: attributes.map((axis) => strides[axis]) };
  if (op === "reshape") {
    return isRowMajor(strides, x.shape) ? { ...place, strides: rowMajor(shape) } : undefined;
  }
  // What was sliced before; not windows, which may go beyond the edges.
  if (!x.box?.source) return undefined;
  return { ...place, offset: place.offset + attributes[0], strides: attributes.slice(1, -1) };
}

/** Whether the elements of this shape lie one behind the other. */
function isRowMajor(strides: readonly number[], shape: readonly number[]): boolean {
  return rowMajor(shape).every((stride, axis) => stride === strides[axis] || shape[axis] === 1);
}
