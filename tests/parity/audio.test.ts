import { melSpectrogram, spectrogram } from "@gradloom/data";
import { afterAll, describe, test } from "vitest";
import { Comparison } from "./compare.ts";
import { type Case, readFixtures, restore, type StoredTensor } from "./fixture.ts";

interface AudioCase extends Case {
  readonly op: "spectrogram" | "melSpectrogram";
  readonly options: object;
  readonly input: StoredTensor;
  readonly output: StoredTensor;
  /** Of the sum of `log1p` of the output. */
  readonly grad: StoredTensor;
}

const operations = { spectrogram, melSpectrogram };

describe("pictures of sounds", () => {
  const comparison = new Comparison();
  afterAll(() => console.log(comparison.table("pictures of sounds")));
  test.each(readFixtures<AudioCase>("audio"))("$op $options", (c) => {
    const x = restore({ ...c.input, grad: true });
    const y = operations[c.op](x, c.options);
    y.log1p().sum().backward();
    comparison.check(c.op, "values", y.detach(), c.output, "values");
    comparison.check(c.op, "gradients", x.grad!, c.grad, "gradients");
  });
});
