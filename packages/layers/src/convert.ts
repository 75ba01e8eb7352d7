import { ArgumentError, type DType, noGrad } from "@gradloom/tensor";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** Replaces all floating parameters and buffers; what was shared stays shared. */
export function convertModule(root: Module, dtype: DType): void {
  if (!isFloat(dtype)) {
    throw new ArgumentError(`to: the dtype of a module must be float32 or float64, got ${dtype}.`, {
      op: "to",
    });
  }
  const converted = new Map<unknown, Parameter | Buffer>();
  for (const module of root.modules()) {
    for (const [field, value] of Object.entries<unknown>({ ...module })) {
      if (!(value instanceof Parameter || value instanceof Buffer)) continue;
      if (!isFloat(value.dtype) || value.dtype === dtype) continue;
      const replacement = converted.get(value) ?? convert(value, dtype);
      converted.set(value, replacement);
      Reflect.set(module, field, replacement);
    }
  }
}

function convert(value: Parameter | Buffer, dtype: DType): Parameter | Buffer {
  const copy = noGrad(() => value.detach().to(dtype));
  return value instanceof Parameter
    ? new Parameter(copy, { requiresGrad: value.requiresGrad })
    : new Buffer(copy, { persistent: value.persistent });
}

function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}
