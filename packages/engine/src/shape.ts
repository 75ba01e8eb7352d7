/** How many elements a shape has: how often loops of these sizes run what is in them. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Whether two shapes, or other lists of numbers, are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `list` with `count` entries from `start` on replaced by others. */
export function spliced(
  list: readonly number[],
  start: number,
  count: number,
  ...others: readonly number[]
): number[] {
  return [...list.slice(0, start), ...others, ...list.slice(start + count)];
}

/** `shape` with the size of one axis replaced. */
export function resized(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((other, i) => (i === axis ? size : other));
}

/** How far the elements along each axis are apart, if all lie one behind the other. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}
