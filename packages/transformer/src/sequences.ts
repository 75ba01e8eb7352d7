import { ArgumentError, checkOptions, fromTypedArray, type Tensor } from "@gradloom/tensor";

/** Sequences of one length, and where they are padding. */
export interface PaddedSequences {
  /** `[batch, time]`, int32. */
  readonly ids: Tensor;
  /** `[batch, time]`, bool; true where a sequence has ended. */
  readonly paddingMask: Tensor;
}

/**
 * Sequences of ids, filled up to the longest: what a model takes for a batch.
 *
 * @param options - `padId` is what they are filled with (default 0); `length` the length to reach at least.
 * @throws ArgumentError if there is no sequence, all are empty, or an id is no int32.
 *
 * @example
 * ```ts
 * const { ids, paddingMask } = padSequences([[5, 6, 2], [7, 2]]);
 * const memory = model.encode(ids, { srcPaddingMask: paddingMask });
 * ```
 */
export function padSequences(
  sequences: readonly (readonly number[])[],
  options: { readonly padId?: number; readonly length?: number } = {},
): PaddedSequences {
  checkOptions("padSequences", options, { padId: true, length: true });
  const { padId = 0, length = 0 } = options;
  if (!Array.isArray(sequences) || !sequences.every((ids) => Object(ids) === ids)) {
    throw new ArgumentError(
      `padSequences: sequences must be a list of lists of ids, got ${JSON.stringify(sequences)}.`,
      { op: "padSequences" },
    );
  }
  const time = Math.max(length, ...sequences.map((ids) => ids.length));
  if (sequences.length === 0 || time === 0) {
    throw new ArgumentError(
      `padSequences: sequences must have an element at least, got ${sequences.length} of length ${time}.`,
      { op: "padSequences" },
    );
  }
  const wrong = sequences.flat().find((id) => (id | 0) !== id);
  if (wrong !== undefined) {
    throw new ArgumentError(`padSequences: ids must be integers of 32 bits, got ${wrong}.`, {
      op: "padSequences",
    });
  }
  const ids = new Int32Array(sequences.length * time).fill(padId);
  const padding = new Uint8Array(ids.length).fill(1);
  for (const [row, sequence] of sequences.entries()) {
    ids.set(sequence, row * time);
    padding.fill(0, row * time, row * time + sequence.length);
  }
  const shape = [sequences.length, time];
  return {
    ids: fromTypedArray(ids, shape),
    paddingMask: fromTypedArray(padding, shape, { dtype: "bool" }),
  };
}
