import { type DType, DTypeError, noGrad, Tensor, zeros } from "@gradloom/tensor";
import { evaluating } from "./evaluating.ts";
import type { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Records one forward pass, and lays out what each module gave and holds as a table. */
export function summarize(
  root: Module,
  inputShape: readonly number[] | readonly (readonly number[])[],
  dtype: DType,
): string {
  const shapes = inputShape.every((size) => typeof size === "number") ? [inputShape] : inputShape;
  const inputs = shapes.map((shape) => zeros(shape as readonly number[], { dtype }));
  const results = recordResults(root, inputs);

  const rows = root.namedModules().map(([path, module]) => {
    const depth = path === "" ? 0 : path.split(".").length;
    const key = path.slice(path.lastIndexOf(".") + 1);
    const name = module.constructor.name;
    const parameters = module
      .namedParts()
      .flatMap(([, part]) => (part instanceof Parameter ? [part] : []));
    return [
      `${"  ".repeat(depth)}${key === "" ? name : `${key}: ${name}`}`,
      results.get(module) ?? "–",
      parameters.length === 0 ? "–" : count(parameters),
    ];
  });

  const table = layOut([["Module", "Result", "Parameters"], ...rows]);
  const all = root.parameters();
  const trained = all.filter((parameter) => parameter.requiresGrad);
  const rule = "─".repeat(Math.max(...table.map((line) => line.length)));
  return [
    table[0],
    rule,
    ...table.slice(1),
    rule,
    `Parameters: ${count(all)}, trained: ${count(trained)}`,
  ].join("\n");
}

/**
 * The shapes of what each module returned. Evaluation, so that nothing random or stateful moves on.
 */
function recordResults(root: Module, inputs: readonly Tensor[]): Map<Module, string> {
  const results = new Map<Module, string>();
  const modules = root.modules();
  const restore = modules.map((module) => {
    const own = Object.getOwnPropertyDescriptor(module, "forward");
    const forward = module.forward;
    module.forward = (...args: never[]): unknown => {
      const result: unknown = forward.apply(module, args);
      if (!results.has(module)) results.set(module, describeResult(result));
      return result;
    };
    return (): void => {
      if (own === undefined) Reflect.deleteProperty(module, "forward");
      else Object.defineProperty(module, "forward", own);
    };
  });
  try {
    evaluating(modules, () => noGrad((): unknown => Reflect.apply(root.forward, root, inputs)));
  } catch (error) {
    if (!(error instanceof DTypeError)) throw error;
    throw new DTypeError(
      `summary: the inputs must have the dtype that forward takes, got ${inputs[0].dtype}. For indices: summary(inputShape, { dtype: "int32" }). ${error.message}`,
    );
  } finally {
    for (const undo of restore) undo();
  }
  return results;
}

function describeResult(result: unknown): string {
  if (result instanceof Tensor) return `[${result.shape.join(", ")}]`;
  if (Array.isArray(result)) return `(${result.map(describeResult).join(", ")})`;
  return "–";
}

function count(tensors: readonly Tensor[]): string {
  return tensors.reduce((sum, tensor) => sum + tensor.numel, 0).toLocaleString("en-US");
}

/** Pads the columns; the last one is of numbers and leans right. */
function layOut(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("   "),
  );
}
