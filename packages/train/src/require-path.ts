import { ArgumentError } from "@gradloom/tensor";

/** @throws ArgumentError for what is no path: files would go to a folder called "undefined". */
export function requirePath(op: string, name: string, path: unknown): void {
  if (typeof path === "string" && path !== "") return;
  throw new ArgumentError(`${op}: ${name} must be a path, got ${JSON.stringify(path)}.`, { op });
}
