// From an empty process to the first loss of the DNN run: node first-loss.js
import { MLP } from "@gradloom/layers";
import { MSELoss } from "@gradloom/loss";
import { Adam } from "@gradloom/optim";
import { linspace, manualSeed, setBackend } from "@gradloom/tensor";

if (process.argv.includes("--wide-simd")) setBackend("wasm", { wideSimd: true });
manualSeed(0);
const x = linspace(-1, 1, 256).reshape([256, 1]);
const y = x.square().mul(3).add(5);
const model = new MLP(1, [64, 64], 1);
const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
const loss = new MSELoss().forward(model.forward(x), y);
loss.backward();
optimizer.step();
process.stdout.write(`first loss ${loss.itemSync()}\n`);
// Threads that are still starting must not count: the parent stops its clock at the line above.
process.exit();
