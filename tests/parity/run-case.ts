import { grad, type Tensor, zerosLike } from "@gradloom/tensor";
import { expect } from "vitest";
import type { Comparison } from "./compare.ts";
import { type Case, fill, restore, type Stored, type StoredTensor } from "./fixture.ts";
import { restoreArguments } from "./operations.ts";

/** An operation on some inputs: what PyTorch gave, and the gradients for a given gradient of the outputs. */
export interface OperationCase extends Case {
  readonly args: readonly unknown[];
  readonly inputs: readonly StoredTensor[];
  /** Whether the operation gives several tensors. */
  readonly list: boolean;
  readonly outputs: readonly StoredTensor[];
  /** Gradients of the inputs that ask for one. */
  readonly grads?: readonly StoredTensor[];
  /** Gradients of `Σ grads · upstream`. */
  readonly second?: {
    readonly upstream: readonly (readonly Stored[])[];
    readonly grads: readonly StoredTensor[];
  };
}

/** What runs an operation: its name and the restored arguments. */
export type Call = (op: string, args: readonly unknown[]) => Tensor | Tensor[];

/** Runs a case and compares values, gradients and gradients of gradients. */
export function runCase(c: OperationCase, comparison: Comparison, call: Call): void {
  const inputs = c.inputs.map(restore);
  const args = restoreArguments(c.args, inputs) as unknown[];
  const result = call(c.op, args);
  expect(Array.isArray(result), `${c.op}: gives several tensors`).toBe(c.list);
  const outputs = Array.isArray(result) ? result : [result];
  expect(outputs.length, `${c.op}: number of outputs`).toBe(c.outputs.length);
  const loss = weightedSum(outputs, c.outputs);
  const wanted = inputs.filter((_, i) => c.inputs[i].grad === true);

  if (c.second === undefined && loss !== undefined) loss.backward();
  outputs.forEach((output, i) => {
    comparison.check(c.op, "values", output.detach(), c.outputs[i], `output ${i}`);
  });
  if (c.grads === undefined || loss === undefined) return;
  const first =
    c.second === undefined
      ? wanted.map((input) => input.grad)
      : grad(loss, wanted, { createGraph: true });
  first.forEach((gradient, i) => {
    expect(gradient, `gradient ${i} exists`).not.toBeNull();
    comparison.check(c.op, "gradients", gradient!.detach(), c.grads![i], `gradient ${i}`);
  });
  if (c.second !== undefined) runSecond(c, comparison, first as Tensor[], wanted);
}

function runSecond(
  c: OperationCase,
  comparison: Comparison,
  first: readonly Tensor[],
  wanted: readonly Tensor[],
): void {
  const { upstream, grads } = c.second!;
  const loss = first
    .map((gradient, i) => gradient.mul(fill(plain(c.grads![i]), upstream[i])).sum())
    .reduce((a, b) => a.add(b));
  // What the gradients do not depend on has second gradients of 0.
  grad(loss, [...wanted], { allowUnused: true }).forEach((gradient, i) => {
    const found = gradient ?? zerosLike(wanted[i]);
    comparison.check(c.op, "second gradients", found, grads[i], `second gradient ${i}`);
  });
}

/** `Σ output · upstream` over the outputs that have gradients. */
function weightedSum(
  outputs: readonly Tensor[],
  stored: readonly StoredTensor[],
): Tensor | undefined {
  const terms = outputs.flatMap((output, i) => {
    const { upstream } = stored[i];
    return upstream === undefined ? [] : [output.mul(fill(plain(stored[i]), upstream)).sum()];
  });
  return terms.length === 0 ? undefined : terms.reduce((a, b) => a.add(b));
}

function plain({ dtype, shape, data }: StoredTensor): StoredTensor {
  return { dtype, shape, data };
}

/** The title of a case: shapes instead of tensors. */
export function title(c: OperationCase): string {
  const show = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    if ("tensor" in value) {
      const { dtype, shape } = c.inputs[Number(value.tensor)];
      return `${dtype === "float32" ? "" : dtype}[${shape.join(",")}]`;
    }
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${show(item)}`)
      .join(", ")}}`;
  };
  return `${c.op}(${c.args.map(show).join(", ")})${c.note === undefined ? "" : `, ${c.note}`}`;
}
