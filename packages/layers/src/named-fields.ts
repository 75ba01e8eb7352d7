import { ArgumentError, StateError } from "@gradloom/tensor";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** What a module is made of. */
export type Part = Parameter | Buffer | Module;

/** The own properties of a module that hold parts, by key. */
export function namedFields(module: Module): [key: string, part: Part][] {
  const found: [string, Part][] = [];
  const fields = new Map<string, string>();
  for (const [field, value] of Object.entries<unknown>({ ...module })) {
    if (!isPart(value)) {
      refuseHiddenParts(module, field, value);
      continue;
    }
    const key = snakeCase(field);
    const other = fields.get(key);
    if (other !== undefined) {
      throw new StateError(
        `${module.constructor.name}: each field must have its own key, got "${key}" ` +
          `for ${other} and ${field}. Rename one of them.`,
      );
    }
    fields.set(key, field);
    found.push([key, value]);
  }
  return found;
}

/** `inProjWeight` → `in_proj_weight`, `weightIhL0` → `weight_ih_l0`. */
function snakeCase(field: string): string {
  return field
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

function isPart(value: unknown): value is Part {
  return value instanceof Parameter || value instanceof Buffer || value instanceof Module;
}

/** Parts in a plain array or object would neither be trained nor saved, and nobody would notice. */
function refuseHiddenParts(module: Module, field: string, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return;
  const hidden = Object.values(value).find(isPart);
  if (hidden === undefined) return;
  const instead =
    hidden instanceof Module
      ? `Use new ${isArray ? "ModuleList" : "ModuleDict"}(…)`
      : "Give each a field of its own";
  throw new ArgumentError(
    `${module.constructor.name}: a plain ${isArray ? "array" : "object"} must not hold parts of a ` +
      `module, got ${hidden.constructor.name} in ${field}. ${instead}.`,
  );
}
