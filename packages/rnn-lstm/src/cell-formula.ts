import { ArgumentError, type Tensor } from "@gradloom/tensor";
import type { State } from "./state.ts";

/**
 * What a cell computes in one step from `fromInput = W_ih·x + b_ih`, `fromHidden = W_hh·h + b_hh` (both with all gates side by
 * side) and its state.
 */
export interface CellFormula {
  /** How many gates are side by side. */
  readonly gates: number;
  /** How many tensors the state has. */
  readonly states: number;
  step(fromInput: Tensor, fromHidden: Tensor, state: State): State;
}

/** What an Elman network applies to its sum. */
export type Nonlinearity = "tanh" | "relu";

/**
 * `h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh)`, or with relu. Elman 1990.
 *
 * @throws ArgumentError if the nonlinearity is another.
 */
export function rnnFormula(op: string, nonlinearity: Nonlinearity): CellFormula {
  if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
    throw new ArgumentError(`${op}: nonlinearity must be "tanh" or "relu", got ${nonlinearity}.`, {
      op,
    });
  }
  return {
    gates: 1,
    states: 1,
    step: (fromInput, fromHidden) => [fromInput.add(fromHidden)[nonlinearity]()],
  };
}

/**
 * Gates in PyTorch's order, input, forget, candidate, output:
 *
 *     i, f, o = σ(…)    g = tanh(…)    c' = f·c + i·g    h' = o·tanh(c')
 *
 * Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
 */
export const lstmFormula: CellFormula = {
  gates: 4,
  states: 2,
  step(fromInput, fromHidden, [, c]) {
    const [i, f, g, o] = fromInput.add(fromHidden).chunk(4, -1);
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(cell.tanh()), cell];
  },
};

/**
 * Gates in PyTorch's order, reset, update, new:
 *
 *     r, z = σ(…)    n = tanh(x_n + r·h_n)    h' = (1 − z)·n + z·h
 *
 * Cho et al. 2014, with the reset gate behind the matrix product, as in PyTorch and cuDNN.
 */
export const gruFormula: CellFormula = {
  gates: 3,
  states: 1,
  step(fromInput, fromHidden, [h]) {
    const [xr, xz, xn] = fromInput.chunk(3, -1);
    const [hr, hz, hn] = fromHidden.chunk(3, -1);
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(hn)).tanh();
    return [n.add(z.mul(h.sub(n)))];
  },
};
