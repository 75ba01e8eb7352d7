import { CharTokenizer, GPT, presets } from "@gradloom/gpt";

const tokenizer = new CharTokenizer("hello world");
const { vocabSize } = tokenizer;
const model = new GPT({ vocabSize, maxSeqLen: 16, dModel: 8, numHeads: 2, numLayers: 1 });
const again = GPT.fromStateDict(model.stateDict(), { numHeads: 2 });

async function write(): Promise<unknown> {
  const prompt = tokenizer.encode("hello");
  const options = { maxNewTokens: 4, temperature: 0.8, topK: 3, seed: 1 };
  const text = await model.generate(prompt, options);
  const streamed: number[] = [];
  for await (const id of again.stream(prompt, options)) streamed.push(id);
  return [text.length, text.slice(5).join() === streamed.join(), presets["gpt2-xl"].dModel];
}

export const result: unknown = write();
export const expected: unknown = [9, true, 1600];
