// A Trainer that goes on from its checkpoint, if there is one: `node training.mjs <folder> <epochs> <result>`.
// The parent process kills it at random moments.
import { join } from "node:path";
import { saveSafetensors } from "@gradloom/checkpoint";
import { DataLoader, TensorDataset } from "@gradloom/data";
import { MLP } from "@gradloom/layers";
import { CrossEntropyLoss } from "@gradloom/loss";
import { AdamW, ExponentialMovingAverage, OneCycleLR } from "@gradloom/optim";
import { manualSeed, randn, setNumThreads } from "@gradloom/tensor";
import {
  Accuracy,
  Checkpoints,
  EarlyStopping,
  History,
  TensorBoard,
  Trainer,
} from "@gradloom/train";

const [folder, epochs, result] = process.argv.slice(2);
setNumThreads(1);
manualSeed(0);
const x = randn([64, 4]);
const y = x.slice(1, 0, 3).argmax(1);
const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 8, shuffle: true });
const model = new MLP(4, [16], 3, { dropout: 0.2 });
const optimizer = new AdamW(model.parameters(), { lr: 0.01, amsgrad: true });
const schedule = new OneCycleLR(optimizer, 0.02, { epochs: Number(epochs), stepsPerEpoch: 4 });
const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.9 });
let said = false;
const trainer = new Trainer({
  model,
  loss: new CrossEntropyLoss(),
  optimizer,
  schedule,
  average,
  accumulate: 2,
  clipGradNorm: 1,
  metrics: [new Accuracy()],
  callbacks: [
    new Checkpoints(folder, { everySteps: 1 }),
    new History(join(folder, "history.jsonl")),
    new TensorBoard(join(folder, "events")),
    new EarlyStopping({ patience: Number(epochs) }),
    {
      onSave() {
        if (!said) process.stdout.write("training\n");
        said = true;
      },
    },
  ],
});
await trainer.fit(loader, {
  epochs: Number(epochs),
  validation: new DataLoader(new TensorDataset(x, y), { batchSize: 32 }),
  resume: join(folder, "last.ckpt"),
});
await saveSafetensors(result, {
  ...model.stateDict(),
  ...Object.fromEntries(average.shadowParams.map((shadow, i) => [`average.${i}`, shadow])),
});
