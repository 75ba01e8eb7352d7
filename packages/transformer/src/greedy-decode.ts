import { checkSize, evaluating } from "@gradloom/layers";
import { ArgumentError, checkOptions, full, noGrad, realize, Tensor } from "@gradloom/tensor";
import { NextToken } from "./next-token.ts";
import { padSequences } from "./sequences.ts";
import type { Transformer } from "./transformer.ts";

/** Sources: a tensor `[batch, time]`, lists of ids that may differ in length, or a single list. */
export type Sequences = Tensor | readonly number[] | readonly (readonly number[])[];

/** Options of `greedyDecode` and `beamSearch`. */
export interface DecodingOptions {
  /** The token that every target begins with. */
  readonly bosId: number;
  /** The token that ends a target. */
  readonly eosId: number;
  /** Tokens of a target at most. Default: 50 more than the source has, as in the paper. */
  readonly maxLength?: number | undefined;
  /** `[batch, time]`; `true` is padding. Default for lists: behind their ends; for a tensor: none. */
  readonly srcPaddingMask?: Tensor | undefined;
  /** Whether keys and values are kept from token to token. Default true: false is for comparison. */
  readonly useCache?: boolean | undefined;
}

/** Their names, for `checkOptions`. */
export const decodingOptions: Readonly<Record<keyof DecodingOptions, true>> = {
  bosId: true,
  eosId: true,
  maxLength: true,
  srcPaddingMask: true,
  useCache: true,
};

/** A source that was read. */
interface ReadSource {
  readonly memory: Tensor;
  readonly srcPaddingMask: Tensor | undefined;
  readonly maxLength: number;
  /** The answers as they are asked for: one for a single list. */
  pack(results: number[][]): number[] | number[][];
}

/** Encodes the source. */
export function readSource(
  op: string,
  model: Transformer,
  src: Sequences,
  options: DecodingOptions,
): ReadSource {
  const isSingle = !(src instanceof Tensor) && typeof src?.[0] === "number";
  const given =
    src instanceof Tensor
      ? { ids: src, paddingMask: undefined }
      : padSequences((isSingle ? [src] : src) as readonly (readonly number[])[]);
  const { ids } = given;
  const { bosId, eosId, srcPaddingMask = given.paddingMask } = options;
  if (ids.ndim !== 2) {
    throw new ArgumentError(
      `${op}: src must be [batch, time], got [${ids.shape.join(", ")}]. Use unsqueeze(0).`,
      { op },
    );
  }
  const vocabulary = model.projection.outFeatures;
  for (const [name, id] of Object.entries({ bosId, eosId })) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary) {
      throw new ArgumentError(
        `${op}: ${name} must be an id of the target, 0 … ${vocabulary - 1}, got ${id}.`,
        { op },
      );
    }
  }
  const { maxLen } = model.positionalEncoding;
  const maxLength = options.maxLength ?? Math.min(ids.shape[1] + 50, maxLen);
  checkSize(op, "maxLength", maxLength);
  if (maxLength > maxLen) {
    throw new ArgumentError(
      `${op}: maxLength must be at most the model's maxLen ${maxLen}, got ${maxLength}.`,
      { op },
    );
  }
  const memory = evaluating(model.modules(), () =>
    noGrad(() => model.encode(ids, { srcPaddingMask })),
  );
  realize(memory);
  return {
    memory,
    srcPaddingMask,
    maxLength,
    pack: (results) => (isSingle ? results[0] : results),
  };
}

/** The target of each source, where each token is the likeliest one after those before it. */
export async function greedyDecode(
  model: Transformer,
  src: Sequences,
  options: DecodingOptions,
): Promise<number[] | number[][]> {
  checkOptions("greedyDecode", options, decodingOptions);
  const source = readSource("greedyDecode", model, src, options);
  const next = new NextToken(model, source, options.useCache ?? true, (logits) =>
    logits.argmax(-1, { keepdim: true }),
  );
  const batch = source.memory.shape[0];
  const results = Array.from({ length: batch }, (): number[] => []);
  const open = new Set(results.keys());
  let ids = full([batch, 1], options.bosId, { dtype: "int32" });
  for (let i = 0; i < source.maxLength && open.size > 0; i++) {
    ids = next.after(ids);
    const chosen = await ids.data();
    for (const row of [...open]) {
      const id = Number(chosen[row]);
      if (id === options.eosId) open.delete(row);
      else results[row].push(id);
    }
  }
  return source.pack(results);
}
