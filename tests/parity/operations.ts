import * as api from "@gradloom/tensor";
import { Tensor } from "@gradloom/tensor";
import { decode, type Stored } from "./fixture.ts";

/** What a fixture calls by a name that is no operation: combinations, and other orders of arguments. */
const combinations: Readonly<Record<string, (...args: never[]) => Tensor | Tensor[]>> = {
  transposedMatmul: (a: Tensor, b: Tensor) => a.t().matmul(b.t()),
  gramMatrix: (a: Tensor) => a.matmul(a.t()),
  viewChain: (x: Tensor) =>
    x
      .permute([2, 0, 1])
      .slice(0, 1)
      .slice(2, 0, undefined, { step: 2 })
      .flip([0])
      .reshape([-1, 2])
      .t(),
  padChain: (x: Tensor) =>
    x.pad([1, 1]).unsqueeze(0).expand([2, -1, -1]).transpose(1, 2).slice(1, 1, 4),
  gatherOfPowers: (x: Tensor, dim: number, index: Tensor) => x.exp().gather(dim, index).square(),
  headsChain: (x: Tensor) =>
    x.view([2, 5, 2, 3]).transpose(1, 2).reshape([4, 5, 3]).transpose(1, 2),
};

/** Whether this is a method of tensors. */
export function isMethod(op: string): boolean {
  return typeof Reflect.get(Tensor.prototype, op) === "function";
}

/** The function of the package with this name. */
export function functionNamed(op: string): ((...args: unknown[]) => unknown) | undefined {
  const found: unknown = Reflect.get(api, op);
  return typeof found === "function"
    ? (...args) => Reflect.apply(found, undefined, args)
    : undefined;
}

/** Calls an operation the way users do: as a method of the first tensor if there is one. */
export function call(op: string, args: readonly unknown[]): Tensor | Tensor[] {
  return asTensors(op, dispatch(op, args));
}

function dispatch(op: string, args: readonly unknown[]): unknown {
  if (op in combinations) return Reflect.apply(combinations[op], undefined, args);
  const [first, ...rest] = args;
  if (first instanceof Tensor && isMethod(op)) {
    return Reflect.apply(Reflect.get(first, op), first, rest);
  }
  const found = functionNamed(op);
  if (found === undefined) throw new Error(`@gradloom/tensor has no operation "${op}".`);
  return found(...args);
}

/** Values and indices together count as a list, as in PyTorch. */
export function asTensors(op: string, result: unknown): Tensor | Tensor[] {
  if (result instanceof Tensor) return result;
  if (isExtremes(result)) return [result.values, result.indices];
  if (Array.isArray(result) && result.every((item) => item instanceof Tensor)) return result;
  throw new Error(`${op} returned ${String(result)}, neither a tensor nor an array of tensors.`);
}

function isExtremes(result: unknown): result is { values: Tensor; indices: Tensor } {
  return typeof result === "object" && result !== null && "values" in result && "indices" in result;
}

/** Arguments as a fixture holds them, with `{"tensor": i}` and `{"number": "inf"}` filled in; null is undefined. */
export function restoreArguments(args: unknown, tensors: readonly Tensor[]): unknown {
  if (Array.isArray(args)) return args.map((arg) => restoreArguments(arg, tensors));
  if (args === null) return undefined;
  if (typeof args !== "object") return args;
  if ("tensor" in args) return tensors[Number(args.tensor)];
  if ("number" in args) return decode(args.number as Stored);
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, restoreArguments(value, tensors)]),
  );
}
