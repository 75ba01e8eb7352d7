import { fromTypedArray, zeros } from "@gradloom/tensor";
import { MultiHeadAttention, Transformer, WordTokenizer } from "@gradloom/transformer";

const attention = new MultiHeadAttention(4, 2);
const x = zeros([1, 3, 4]);
const [y, weights] = attention.forward(x, x, x, { isCausal: true, needWeights: true });
const tokenizer = WordTokenizer.fromTexts(["我 爱 吃 火锅"]);
const model = new Transformer({
  srcVocabSize: tokenizer.vocabSize,
  tgtVocabSize: 5,
  dModel: 4,
  numHeads: 2,
  numEncoderLayers: 1,
  numDecoderLayers: 1,
  dFf: 8,
});
const src = fromTypedArray(Int32Array.from(tokenizer.encode("我 爱 吃 火锅")), [1, 4]);

export const result: unknown = model
  .greedyDecode(src, { bosId: 1, eosId: 2, maxLength: 3 })
  .then((targets) => [y.shape, weights.shape, targets.length]);
export const expected: unknown = [[1, 3, 4], [1, 3, 3], 1];
