import { ArgumentError } from "@gradloom/tensor";
import { Module } from "./module.ts";

/** @throws ArgumentError if something else than a module is among them. */
export function checkModules(op: string, modules: readonly unknown[]): void {
  const index = modules.findIndex((module) => !(module instanceof Module));
  if (index < 0) return;
  const got = typeof modules[index] === "object" ? String(modules[index]) : typeof modules[index];
  throw new ArgumentError(
    `${op}: what it holds must be modules, got ${got} at position ${index}. ` +
      "Give layers one by one to Sequential, an array to ModuleList, an object to ModuleDict.",
    { op },
  );
}

/** Modules in a list. @throws ArgumentError if they are none, such as a module alone, or something else is among them. */
export function moduleList<M extends Module>(op: string, modules: Iterable<M>): M[] {
  if (!(Symbol.iterator in Object(modules))) {
    const got = modules instanceof Module ? modules.constructor.name : String(modules);
    throw new ArgumentError(`${op}: modules must be an array of modules, got ${got}.`, { op });
  }
  const items = [...modules];
  checkModules(op, items);
  return items;
}

/** @throws ArgumentError if a name cannot be a part of a key. */
export function checkKey(op: string, name: string): void {
  if (name === "" || name.includes(".")) {
    throw new ArgumentError(`${op}: a name must be a text without dots, got "${name}".`, { op });
  }
}
