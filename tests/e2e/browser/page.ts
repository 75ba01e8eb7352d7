// Every package, as a page takes it from a bundler: each must load without Node.
import * as checkpoint from "@gradloom/checkpoint";
import * as cnn from "@gradloom/cnn";
import * as data from "@gradloom/data";
import * as gpt from "@gradloom/gpt";
import * as moe from "@gradloom/moe";
import * as recurrent from "@gradloom/rnn-lstm";
import * as tensor from "@gradloom/tensor";
import * as trainer from "@gradloom/train";
import * as transformer from "@gradloom/transformer";
import * as unet from "@gradloom/unet";
import { train } from "./training.ts";

const packages = [checkpoint, cnn, data, gpt, moe, recurrent, tensor, trainer, transformer, unet];

/** What the tests find in the page. */
interface Page {
  /** How many names each package exports. */
  readonly packages: readonly number[];
  readonly tensor: typeof tensor;
  readonly cnn: typeof cnn;
  readonly train: typeof train;
}

declare global {
  var gradloom: Page;
}

globalThis.gradloom = {
  packages: packages.map((each) => Object.keys(each).length),
  tensor,
  cnn,
  train,
};
