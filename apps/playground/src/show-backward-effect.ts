// The command that opens the box: every value and every gradient of a small loss, next to the same
// numbers worked out by hand.
import { type ByAutograd, computeByAutograd } from "./backward-by-autograd.ts";
import {
  type ByHand,
  type Inputs,
  type Line,
  list,
  type NodeName,
  nodeNames,
  num,
  workOutByHand,
} from "./backward-by-hand.ts";
import { PlaygroundError } from "./errors.ts";

/** What the command takes from its flags. */
export interface ShowBackwardEffectOptions extends Inputs {
  /** The length of the step against the gradient that the last lines show. */
  readonly lr: number;
}

/**
 * Prints the demonstration to `write`.
 *
 * @throws PlaygroundError if `x` and `y` differ in length, or if the two calculations do not agree.
 */
export function showBackwardEffect(
  options: ShowBackwardEffectOptions,
  write: (text: string) => void,
): void {
  const { w, b, x, y, lr } = options;
  if (x.length !== y.length) {
    throw new PlaygroundError(
      `--x and --y must have the same length, got ${x.length} and ${y.length} numbers.`,
    );
  }
  const hand = workOutByHand(options);
  const computed = computeByAutograd(options);
  const differences = compare(hand, computed);
  const loss = hand.values.at(-1)?.result[0] ?? Number.NaN;

  write("What backward() does: loss = MSE(w·x + b, y)\n\n");
  write(`  x = ${list(x)}   y = ${list(y)}   w = ${num(w)}   b = ${num(b)}   n = ${x.length}\n\n`);

  write("As recorded and differentiated by Gradloom\n\n");
  write(
    table(
      ["node", "is", "value", "gradient, ∂loss/∂node"],
      nodeNames.map((name) => {
        const node = computed.nodes[name];
        return [name, node.operation, bracket(node.value), bracket(node.gradient)];
      }),
    ),
  );

  write("\nBy hand, forwards: the values\n\n");
  write(
    table(
      undefined,
      hand.values.map((line) => row(line.node, line, differences.values)),
    ),
  );
  write(
    "\nBy hand, backwards: the chain rule, from the loss to the inputs (∂e stands for ∂loss/∂e)\n\n",
  );
  write(
    table(
      undefined,
      hand.gradients.map((line) => row(`∂${line.node}`, line, differences.gradients)),
    ),
  );

  const dw = gradientOf(hand, "w");
  const db = gradientOf(hand, "b");
  const after = workOutByHand({ ...options, w: w - lr * dw, b: b - lr * db });
  write(`\nWhat it is for: a step of ${num(lr)} against the gradient\n\n`);
  write(
    table(undefined, [
      ["w", `= ${num(w)} − ${num(lr)}·(${num(dw)})`, `= ${num(w - lr * dw)}`],
      ["b", `= ${num(b)} − ${num(lr)}·(${num(db)})`, `= ${num(b - lr * db)}`],
      [
        "loss",
        `= ${num(loss)} before`,
        `→ ${num(after.values.at(-1)?.result[0] ?? Number.NaN)} after`,
      ],
    ]),
  );

  const { worst } = differences;
  if (!(worst <= tolerance)) {
    throw new PlaygroundError(
      `The numbers do not agree: the largest relative difference is ${worst}.`,
    );
  }
  const count = differences.values.size + differences.gradients.size;
  const how = worst === 0 ? "exactly" : `to within ${worst.toExponential(1)}, as float32 can`;
  write(`\nAll ${count} agree ${how}. mseLoss(w·x + b, y) gives the same loss and gradients.\n`);
}

// Some units in the last place of float32: the hand works in float64.
const tolerance = 1e-5;

interface Differences {
  readonly values: ReadonlyMap<NodeName, number>;
  readonly gradients: ReadonlyMap<NodeName, number>;
  readonly worst: number;
}

function compare(hand: ByHand, { nodes, mseLoss }: ByAutograd): Differences {
  const values = differencesOf(hand.values, (name) => nodes[name].value);
  const gradients = differencesOf(hand.gradients, (name) => nodes[name].gradient);
  // What mseLoss gives, and for the nodes inside it what has been compared already.
  const again = [
    differencesOf(hand.values, (name) => (name === "loss" ? [mseLoss.loss] : nodes[name].value)),
    differencesOf(hand.gradients, (name) =>
      name === "w" ? [mseLoss.w] : name === "b" ? [mseLoss.b] : nodes[name].gradient,
    ),
  ];
  const all = [values, gradients, ...again].flatMap((differences) => [...differences.values()]);
  return { values, gradients, worst: Math.max(...all) };
}

/** The largest difference of each node, relative to the largest number of the calculation. */
function differencesOf(
  lines: readonly Line[],
  actual: (name: NodeName) => readonly number[],
): Map<NodeName, number> {
  const scale = Math.max(...lines.flatMap(({ result }) => result.map(Math.abs)));
  return new Map(
    lines.map(({ node, result }) => {
      const other = actual(node);
      const most = Math.max(...result.map((value, i) => Math.abs(value - other[i])));
      return [node, other.length === result.length ? most / (scale || 1) : Number.NaN];
    }),
  );
}

function gradientOf(hand: ByHand, name: Line["node"]): number {
  return hand.gradients.find(({ node }) => node === name)?.result[0] ?? Number.NaN;
}

function row(label: string, line: Line, differences: ReadonlyMap<NodeName, number>): string[] {
  const agrees = (differences.get(line.node) ?? Number.NaN) <= tolerance;
  return [
    label,
    `= ${line.formula}`,
    `= ${line.substituted}`,
    `= ${bracket(line.result)}`,
    agrees ? "agrees" : "DIFFERS",
  ];
}

function bracket(values: readonly number[]): string {
  return values.length === 1 ? num(values[0]) : list(values);
}

/** Lines with columns below each other, indented by two spaces. */
function table(head: string[] | undefined, rows: string[][]): string {
  const all = head ? [head, ...rows] : rows;
  const widths = all[0].map((_, i) => Math.max(...all.map((cells) => [...cells[i]].length)));
  const lines = all.map((cells) =>
    cells
      .map((cell, i) => cell + " ".repeat(widths[i] - [...cell].length))
      .join("   ")
      .trimEnd(),
  );
  if (head) lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("   "));
  return lines.map((line) => `  ${line}\n`).join("");
}
