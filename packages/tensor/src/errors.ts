export { argumentError, dtypeError, shapeError, show, stateError } from "@gradloom/engine";

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

/** Anything, as messages show it. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  const isObject = value === Object(value);
  return isObject ? `a ${(value as object).constructor?.name ?? "object"}` : String(value);
}
