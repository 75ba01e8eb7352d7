// A training that goes on from its checkpoint, if there is one: `node training.mjs <checkpoint> <steps> <result>`.
// The parent process kills it at random moments.
import { existsSync } from "node:fs";
import { loadCheckpoint, saveCheckpoint, saveSafetensors } from "@gradloom/checkpoint";
import { Dropout, Linear, ReLU, Sequential } from "@gradloom/layers";
import { mseLoss } from "@gradloom/loss";
import { AdamW, CosineAnnealingLR, ExponentialMovingAverage } from "@gradloom/optim";
import { manualSeed, rand, setNumThreads } from "@gradloom/tensor";

const [path, steps, result] = process.argv.slice(2);
setNumThreads(1);
manualSeed(0);
const model = new Sequential(new Linear(4, 32), new ReLU(), new Dropout(0.2), new Linear(32, 1));
const optimizer = new AdamW(model.parameters(), { lr: 0.01, amsgrad: true });
const schedule = new CosineAnnealingLR(optimizer, Number(steps));
const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.9 });
const parts = { model, optimizer, schedule, average };

let step = 0;
if (existsSync(path)) ({ step } = await loadCheckpoint(path, parts));
const start = step;
while (step < Number(steps)) {
  const x = rand([16, 4]);
  const loss = mseLoss(model.forward(x), x.square().sum(1, { keepdim: true }));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  schedule.step();
  average.update();
  step += 1;
  if (path !== "none") await saveCheckpoint(path, { ...parts, step });
  if (step === start + 1) process.stdout.write("training\n");
}
await saveSafetensors(result, {
  ...model.stateDict(),
  ...Object.fromEntries(average.shadowParams.map((shadow, i) => [`average.${i}`, shadow])),
});
