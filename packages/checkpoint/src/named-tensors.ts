import { ArgumentError, Tensor } from "@gradloom/tensor";

/**
 * Tensors with their names.
 *
 * @throws ArgumentError for what are none, such as a model.
 */
export function namedTensors(
  op: string,
  tensors: Readonly<Record<string, Tensor>>,
): readonly (readonly [name: string, tensor: Tensor])[] {
  if (Object(tensors) !== tensors) {
    throw new ArgumentError(`${op}: there must be tensors by name, got ${String(tensors)}.`, {
      op,
    });
  }
  const entries = Object.entries(tensors);
  for (const [name, value] of entries) {
    if (value instanceof Tensor) continue;
    throw new ArgumentError(
      `${op}: values must be tensors, got another as ${name}. Of a model, pass its stateDict().`,
      { op },
    );
  }
  return entries;
}
