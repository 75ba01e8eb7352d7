import type { Comparison } from "../parity/compare.ts";
import { trialOf } from "./cases.ts";
import { families } from "./families.ts";
import { backends, dtypes, type Findings, probe } from "./probe.ts";

const introduction = [
  "# Operations",
  "",
  "What exists, in which dtypes, where, and how exactly. This file is generated, and a test compares it with what the",
  "operations do; `npx vitest run tests/operations -u` writes it again.",
  "",
  "- **Dtypes** were tried, each on each backend, which had to agree on values and on gradients. Integers and booleans",
  "  may be promoted: `sqrt` of int32 is float32. Masks and indices have dtypes of their own.",
  "- **Gradient** and **second order** are compared with slopes in float64 for each case in",
  "  `packages/tensor/test/op-cases.ts`; for this document it was tried that both backends compute them.",
  "- **Error**: a bound on the largest relative error against PyTorch, of values and of gradients, over all fixtures in",
  '  `tests/parity`, on backend wasm. "exact" is no difference at all.',
];

const heading = [
  "| operation | dtypes | backends | gradient | second order | error | error of gradients |",
  "| --- | --- | --- | --- | --- | --- | --- |",
];

/** Why there is nothing of PyTorch's to compare with. */
const incomparable: Readonly<Partial<Record<string, string>>> = {
  allclose: "– (an answer, not a tensor)",
  empty: "– (contents do not matter)",
  fromTypedArray: "– (as `tensor`)",
  tensor: "– (the data itself)",
  zerosLike: "– (as `zeros`)",
  onesLike: "– (as `ones`)",
  dropout: "– (random: other numbers)",
  ...Object.fromEntries(
    ["rand", "randn", "randnLike", "randint", "randperm", "bernoulli", "multinomial"].map(
      (name) => [name, "– (random: other numbers)"],
    ),
  ),
};

/**
 * The document.
 *
 * @param before - The one that there is. Its bounds stay as long as they are true and not far off: the last bits are
 *   different on other hosts.
 * @throws Error if an operation does not exist, backends differ, or an error is unknown for no known reason.
 */
export function operationsDocument(errors: Comparison, before: string): string {
  const known = boundsIn(before);
  const wrong: string[] = [];
  const sections = Object.entries(families).map(([family, names]) => {
    const rows = names.split(" ").flatMap((name) => {
      try {
        return rowOf(name, errors, known.get(name) ?? []);
      } catch (error) {
        wrong.push(String(error));
        return [];
      }
    });
    return ["", `## ${family}`, "", ...heading, ...rows];
  });
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return `${[...introduction, ...sections.flat()].join("\n")}\n`;
}

/** The last two cells of each row, by operation. */
function boundsIn(document: string): Map<string, readonly string[]> {
  const rows = document.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  return new Map(rows.map((cells) => [cells[1]?.replaceAll("`", ""), cells.slice(6, 8)]));
}

function rowOf(name: string, errors: Comparison, known: readonly string[]): string {
  const trial = trialOf(name);
  if (trial === undefined) throw new Error(`${name} has no case in op-cases.ts.`);
  const findings = probe(name, trial);
  const ofValues = bound(name, errors.largestRelative(name, "values"), known[0]);
  const ofGradients =
    trial.order === 0 ? "–" : bound(name, errors.largestRelative(name, "gradients"), known[1]);
  const cells = [
    `\`${name}\``,
    dtypesCell(findings),
    backendsCell(findings),
    ...gradientCells(trial.order, findings),
    ofValues,
    ofGradients,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** A power of ten with some room, or the one that there was. */
function bound(name: string, error: number | undefined, old: string | undefined): string {
  if (error === undefined) {
    const missing = incomparable[name];
    if (missing === undefined) throw new Error(`${name} has no fixture in tests/parity.`);
    return missing;
  }
  if (error === 0) return "exact";
  const exponent = Number(old?.match(/^≤ 1e(-?\d+)$/)?.[1]);
  if (error <= 10 ** exponent && error * 1000 >= 10 ** exponent) return `≤ 1e${exponent}`;
  return `≤ 1e${Math.ceil(Math.log10(error * 1.5))}`;
}

function dtypesCell({ dtypes: found }: Findings): string {
  return found.js.length === dtypes.length ? "all" : found.js.join(", ");
}

function backendsCell({ dtypes: found }: Findings): string {
  const cells = backends.map((backend) => {
    const missing = found.js.filter((dtype) => !found[backend].includes(dtype));
    return missing.length === 0 ? backend : `${backend} (not ${missing.join(", ")})`;
  });
  return cells.join(", ");
}

function gradientCells(order: number, { gradient, results }: Findings): readonly string[] {
  if (order === 0) {
    const isFloating = [...results].some((dtype) => dtype.startsWith("float"));
    return [isFloating ? "– (a leaf)" : `– (gives ${[...results].join(", ")})`, "–"];
  }
  const where = backends.filter((backend) => gradient[backend]);
  return [
    where.length === backends.length ? "yes" : `only ${where.join()}`,
    order > 1 ? "yes" : "no",
  ];
}
