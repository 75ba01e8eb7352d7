// Memory over 10,000 steps in one synchronous loop, in which no finalizer and no timer ever runs:
// node --expose-gc memory.js [--keep]
import { MLP } from "@gradloom/layers";
import { MSELoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { manualSeed, memoryStats, rand, type Tensor } from "@gradloom/tensor";

manualSeed(0);
const model = new MLP(1, [64, 64], 1);
const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
const criterion = new MSELoss();
const keep = process.argv.includes("--keep");
const kept: Tensor[] = [];

for (let step = 1; step <= 10_000; step++) {
  // A new batch each step.
  const x = rand([256, 1]).mul(2).sub(1);
  const loss = criterion.forward(model.forward(x), x.square().mul(3).add(5));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (keep) kept.push(loss);
  if (step === 100 || step % 1000 === 0) report(step);
}

function report(step: number): void {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { memoryBytes, residentBytes, arenaBytes, plans, compiledKernels } = memoryStats();
  const row = { step, rss, heapUsed, arrayBuffers, memoryBytes, residentBytes, arenaBytes };
  process.stdout.write(`${JSON.stringify({ ...row, plans, compiledKernels })}\n`);
}
process.exit();
