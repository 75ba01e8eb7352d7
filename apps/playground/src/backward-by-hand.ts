// loss = MSE(w·x + b, y) with pencil and paper: plain numbers, no tensors, so that the library's
// autograd can be held against it.

/** The numbers that the expression is computed with. */
export interface Inputs {
  readonly w: number;
  readonly b: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The nodes of the expression, in the order in which they are computed. */
export const nodeNames = ["x", "w", "b", "y", "p", "z", "e", "s", "loss"] as const;

/** The name of one node of the expression. */
export type NodeName = (typeof nodeNames)[number];

/** One line of the calculation: a quantity, its formula, the formula with numbers in it, the result. */
export interface Line {
  readonly node: NodeName;
  readonly formula: string;
  readonly substituted: string;
  readonly result: readonly number[];
}

/** The calculation: the values from the inputs to the loss, the gradients from the loss back. */
export interface ByHand {
  readonly values: readonly Line[];
  readonly gradients: readonly Line[];
}

/** Works out every node's value, and by the chain rule every node's gradient. */
export function workOutByHand({ w, b, x, y }: Inputs): ByHand {
  const n = x.length;
  const p = x.map((xi) => w * xi);
  const z = p.map((pi) => pi + b);
  const e = z.map((zi, i) => zi - y[i]);
  const s = e.map((ei) => ei * ei);
  const loss = sum(s) / n;

  const ds = s.map(() => 1 / n);
  const de = e.map((ei, i) => ds[i] * 2 * ei);
  const dy = de.map((d) => -d);
  const dx = de.map((d) => d * w);
  const products = de.map((d, i) => d * x[i]);

  return {
    values: [
      line("p", "w·x", `${num(w)}·${list(x)}`, p),
      line("z", "p + b", `${list(p)} + ${num(b)}`, z),
      line("e", "z − y", `${list(z)} − ${list(y)}`, e),
      line("s", "e²", `${list(e)}²`, s),
      line("loss", "Σ s / n", `(${terms(s)}) / ${n}`, [loss]),
    ],
    gradients: [
      line("loss", "1", "1", [1]),
      line("s", "1 / n", `1 / ${n}, for each element`, ds),
      line("e", "∂s · 2e", `${num(1 / n)} · 2·${list(e)}`, de),
      line("y", "−∂e", `−${list(de)}`, dy),
      line("z", "∂e", list(de), de),
      line("b", "Σ ∂z", terms(de), [sum(de)]),
      line("p", "∂z", list(de), de),
      line("w", "Σ ∂p · x", terms(products), [sum(products)]),
      line("x", "∂p · w", `${list(de)} · ${num(w)}`, dx),
    ],
  };
}

/** Numbers as they stand in the calculation: a scalar alone, several in brackets. */
export function list(values: readonly number[]): string {
  return `[${values.map(num).join(", ")}]`;
}

/** A number of up to six significant digits, with a real minus sign. */
export function num(value: number): string {
  const rounded = Number(value.toPrecision(6));
  return String(rounded === 0 ? 0 : rounded).replace("-", "−");
}

function terms(values: readonly number[]): string {
  return values
    .map((value, i) => (value < 0 && i > 0 ? `(${num(value)})` : num(value)))
    .join(" + ");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function line(
  node: NodeName,
  formula: string,
  substituted: string,
  result: readonly number[],
): Line {
  return { node, formula, substituted, result };
}
