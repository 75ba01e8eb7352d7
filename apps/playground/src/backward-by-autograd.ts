// loss = MSE(w·x + b, y) with the library: one tensor for each node, gradients by backward().
import { mseLoss } from "@gradloom/loss";
import { type Tensor, tensor } from "@gradloom/tensor";
import type { Inputs, NodeName } from "./backward-by-hand.ts";

/** The value of a node, and the gradient of the loss with respect to it. */
interface NodeNumbers {
  readonly operation: string;
  readonly value: readonly number[];
  readonly gradient: readonly number[];
}

/** The numbers of every node, and the loss and gradients that `mseLoss` gives for the same inputs. */
export interface ByAutograd {
  readonly nodes: Readonly<Record<NodeName, NodeNumbers>>;
  readonly mseLoss: { readonly loss: number; readonly w: number; readonly b: number };
}

/** Records the expression node by node, calls `backward()`, and reads every value and gradient. */
export function computeByAutograd(inputs: Inputs): ByAutograd {
  const x = leaf(inputs.x);
  const w = leaf(inputs.w);
  const b = leaf(inputs.b);
  const y = leaf(inputs.y);

  const p = w.mul(x);
  const z = p.add(b);
  const e = z.sub(y);
  const s = e.square();
  const loss = s.mean();
  for (const node of [p, z, e, s, loss]) node.retainGrad();
  loss.backward();

  return {
    nodes: {
      x: read("input", x),
      w: read("parameter", w),
      b: read("parameter", b),
      y: read("target", y),
      p: read("w.mul(x)", p),
      z: read("p.add(b)", z),
      e: read("z.sub(y)", e),
      s: read("e.square()", s),
      loss: read("s.mean()", loss),
    },
    mseLoss: byMseLoss(inputs),
  };
}

/** The same loss in one call, as one would write it in a program. */
function byMseLoss(inputs: Inputs): ByAutograd["mseLoss"] {
  const w = leaf(inputs.w);
  const b = leaf(inputs.b);
  const loss = mseLoss(w.mul(tensor(inputs.x)).add(b), tensor(inputs.y));
  loss.backward();
  return { loss: loss.itemSync(), w: gradient(w)[0], b: gradient(b)[0] };
}

function leaf(value: number | readonly number[]): Tensor {
  return tensor(value, { requiresGrad: true });
}

function read(operation: string, node: Tensor): NodeNumbers {
  return { operation, value: Array.from(node.dataSync()), gradient: gradient(node) };
}

function gradient(node: Tensor): number[] {
  if (node.grad === null) throw new Error("backward() left a node without a gradient.");
  return Array.from(node.grad.dataSync());
}
