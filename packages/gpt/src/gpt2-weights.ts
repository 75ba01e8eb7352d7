import { ArgumentError, StateError, type Tensor } from "@gradloom/tensor";
import type { GPTOptions } from "./gpt.ts";

/** Sizes that weights tell. */
type Sizes = Required<
  Pick<
    GPTOptions,
    "vocabSize" | "maxSeqLen" | "dModel" | "numLayers" | "dFf" | "bias" | "tieWeights"
  >
>;

/** Options of `GPT.fromStateDict`: `numHeads`, and whatever `GPT` takes; sizes must be those of the weights. */
export type FromStateDictOptions = Partial<GPTOptions> & Pick<GPTOptions, "numHeads">;

type Weights = Record<string, Tensor>;

/** GPT-2's names of the parts of a block, and those here. */
const blockParts: Readonly<Record<string, string>> = {
  ln_1: "ln1",
  ln_2: "ln2",
  "attn.c_attn": "attn.qkv",
  "attn.c_proj": "attn.proj",
  "mlp.c_fc": "ffn.up",
  "mlp.c_proj": "ffn.down",
};

/** Buffers of published files that hold no weights. */
const masks = /\.attn\.(masked_)?bias$/;

/** A state dict of GPT-2 or of this package as this package has it, and the sizes of its model. */
export function readStateDict(
  dict: Readonly<Weights>,
  options: FromStateDictOptions,
): { readonly weights: Weights; readonly sizes: Sizes } {
  const weights: Weights = {};
  for (const [name, value] of Object.entries(dict)) {
    const key = renamed(name.replace(/^(_orig_mod\.)?(transformer\.)?/, ""));
    if (!masks.test(`.${name}`)) weights[key] = value;
  }
  const get = (key: string): Tensor => {
    if (Object.hasOwn(weights, key)) return weights[key];
    const names = Object.keys(dict).slice(0, 4).join(", ");
    throw new StateError(
      `fromStateDict: the state dict must be one of a GPT, got none with ${key} (its first names: ${names}).`,
      { op: "fromStateDict" },
    );
  };
  const [vocabSize, dModel] = get("wte.weight").shape;
  const [maxSeqLen] = get("wpe.weight").shape;
  // The published weights are those of `Conv1D`, [in, out]; nanoGPT's those of `Linear`, [out, in].
  if (get("blocks.0.attn.qkv.weight").shape[0] === dModel) {
    const isMap = /^blocks\.\d+\.(attn\.(qkv|proj)|ffn\.(up|down))\.weight$/;
    for (const key of Object.keys(weights).filter((key) => isMap.test(key))) {
      weights[key] = weights[key].t();
    }
  }
  const numLayers = countOf(Object.keys(weights));
  const up: Tensor | undefined = weights["blocks.0.ffn.up.weight"];
  const tieWeights = options.tieWeights ?? isTied(weights["head.weight"], weights["wte.weight"]);
  if (tieWeights) delete weights["head.weight"];
  const sizes: Sizes = {
    vocabSize,
    maxSeqLen,
    dModel,
    numLayers,
    dFf: up?.shape[0] ?? options.dFf ?? 4 * dModel,
    bias: Object.hasOwn(weights, "ln_f.bias"),
    tieWeights,
  };
  checkSizes(sizes, options);
  return { weights, sizes };
}

function renamed(name: string): string {
  if (name === "lm_head.weight") return "head.weight";
  const match = /^h\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  if (match === null) return name;
  const [, layer, part, kind] = match;
  return `blocks.${layer}.${Object.hasOwn(blockParts, part) ? blockParts[part] : part}.${kind}`;
}

/** One more than the largest number of a block. */
function countOf(keys: readonly string[]): number {
  const numbers = keys.map((key) => Number(/^blocks\.(\d+)\./.exec(key)?.[1] ?? -1));
  return numbers.reduce((a, b) => Math.max(a, b), -1) + 1;
}

/** Whether there is no output projection of its own: none is given, or it equals the embedding. */
function isTied(head: Tensor | undefined, embedding: Tensor): boolean {
  if (head === undefined || head === embedding) return true;
  if (head.shape.some((size, axis) => size !== embedding.shape[axis])) return false;
  return head.eq(embedding).all().itemSync() === 1;
}

function checkSizes(sizes: Sizes, options: FromStateDictOptions): void {
  for (const [name, size] of Object.entries(sizes)) {
    const wanted: unknown = Reflect.get(options, name);
    if (wanted === undefined || wanted === size) continue;
    throw new ArgumentError(
      `fromStateDict: ${name} must be that of the weights, got ${wanted} for weights with ${size}.`,
      { op: "fromStateDict" },
    );
  }
}
