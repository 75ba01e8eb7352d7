/**
 * Prints, for each of many computations, a checksum of all bits of its results. Run by a Node of its own:
 * `node computations.ts [wide]`, where `wide` asks for vectors of 256 bits at run time.
 */
import { createHash } from "node:crypto";
import { MLP } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { LSTM } from "@gradloom/rnn-lstm";
import {
  conv2d,
  grad,
  manualSeed,
  randint,
  randn,
  setBackend,
  setNumThreads,
  type Tensor,
} from "@gradloom/tensor";
import { EncoderLayer } from "@gradloom/transformer";

if (process.argv.includes("wide")) setBackend("wasm", { wideSimd: true });

/** Everything that a computation gives, values and gradients of what it is given. */
function withGradients(compute: (...inputs: Tensor[]) => Tensor, ...shapes: number[][]): Tensor[] {
  const inputs = shapes.map((shape) => randn(shape, { requiresGrad: true }));
  const output = compute(...inputs);
  return [output, ...grad(output.mul(randn(output.shape)).sum(), inputs)];
}

const computations: Record<string, () => Tensor[]> = {};
for (const [m, k, n] of [
  [4, 4, 8],
  [17, 33, 25],
  [64, 300, 40],
  [130, 64, 72],
  [200, 700, 31],
]) {
  computations[`product ${m} ${k} ${n}`] = () => {
    const [a, b] = [randn([m, k]), randn([k, n])];
    const [at, bt] = [randn([k, m]).t(), randn([n, k]).t()];
    return [a.matmul(b), a.matmul(bt), at.matmul(b).add(1).relu(), at.matmul(bt)];
  };
}
for (const [channels, groups, stride] of [
  [16, 1, 1],
  [16, 1, 2],
  [12, 12, 1],
  [12, 4, 1],
]) {
  computations[`convolution ${channels} ${groups} ${stride}`] = () =>
    withGradients(
      (x, w) => conv2d(x, w, { padding: 1, groups, stride }),
      [2, channels, 19, 22],
      [24, channels / groups, 3, 3],
    );
}
for (const size of [1, 7, 8, 15, 64, 333]) {
  computations[`elements ${size}`] = () =>
    withGradients(
      (x, y) => x.tanh().add(y.exp()).mul(x.sigmoid()).add(y.gelu()).div(x.square().add(2)).erf(),
      [13, size],
      [13, size],
    );
  computations[`rows ${size}`] = () =>
    withGradients(
      (x) =>
        x
          .softmax(-1)
          .add(x.layerNorm([size]))
          .add(x.logSoftmax(0))
          .mul(x.sum(-1, { keepdim: true })),
      [21, size],
    );
  computations[`order ${size}`] = () => {
    const x = randn([9, size]);
    return [
      x.sort(-1).values,
      x.argsort(0),
      x.cumsum(-1),
      x.mul(10).round().to("int32").mul(3).remainder(7),
      x.gt(0),
    ];
  };
}
computations.attention = () => {
  const layer = new EncoderLayer(32, 4, 96, { dropout: 0 });
  return withGradients((x) => layer.forward(x, { isCausal: true }), [3, 37, 32]);
};
computations.lstm = () => {
  const lstm = new LSTM({ inputSize: 24, hiddenSize: 40 });
  return withGradients((x) => lstm.forward(x)[0], [5, 21, 24]);
};
computations["steps of a network"] = () => {
  const model = new MLP(30, [64, 50], 10);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const loss = new CrossEntropyLoss();
  const [x, y] = [randn([70, 30]), randint(0, 10, [70])];
  for (let step = 0; step < 20; step++) {
    optimizer.zeroGrad();
    loss.forward(model.forward(x), y).backward();
    optimizer.step();
  }
  return model.parameters();
};

for (const threads of [1, 2]) {
  setNumThreads(threads);
  for (const [name, compute] of Object.entries(computations)) {
    manualSeed(1);
    const hash = createHash("sha256");
    for (const result of compute()) {
      const { buffer, byteOffset, byteLength } = result.dataSync();
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
    console.log(`${name}: ${hash.digest("hex").slice(0, 16)}`);
  }
}
