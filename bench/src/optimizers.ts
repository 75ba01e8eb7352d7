import { Parameter } from "@gradloom/layers";
import { Adam } from "@gradloom/optim";
import { ones, realize, zeros } from "@gradloom/tensor";
import type { Workload, Workloads } from "./serve.ts";

/** The shapes of GPT-2's 124M parameters. */
function gpt2Shapes(): number[][] {
  const shapes = [[50257, 768], [1024, 768], [768], [768]];
  for (let layer = 0; layer < 12; layer++) {
    shapes.push([768], [768], [2304, 768], [2304], [768, 768], [768]);
    shapes.push([768], [768], [3072, 768], [3072], [768, 3072], [768]);
  }
  return shapes;
}

/** A step with gradients that exist: reads parameters, gradients and both moments, writes all but the gradients. */
function adam(): Workload {
  const parameters = gpt2Shapes().map((shape) => new Parameter(zeros(shape)));
  const gradients = parameters.map(({ shape }) => ones(shape));
  realize(...gradients);
  parameters.forEach((parameter, i) => {
    parameter.grad = gradients[i];
  });
  const optimizer = new Adam(parameters, { lr: 1e-3 });
  return { run: () => optimizer.step() };
}

/** What the machine's memory gives: as many floats, each read once and written once. */
function copy(): Workload {
  const size = gpt2Shapes().reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  const [from, to] = [ones([size]), zeros([size])];
  realize(from, to);
  return {
    run: () => {
      to.assign(from.neg());
      realize(to);
    },
  };
}

/** Optimizers alone, without a forward and a backward pass. */
export const optimizers: Workloads = { "adam-step": adam, "adam-copy": copy };
