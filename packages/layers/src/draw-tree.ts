import type { Module } from "./module.ts";

/**
 * A module and what is inside, one line each, as PyTorch prints it. Equal neighbours in a list
 * share a line: `(0-11): 12 × Block(…)`.
 */
export function drawTree(module: Module): string {
  const head = `${module.constructor.name}(${module.describe()}`;
  const lines: string[] = [];
  const children = module.namedChildren().map(([key, child]) => [key, drawTree(child)]);
  for (let first = 0, last = 0; first < children.length; first = last + 1) {
    const [key, text] = children[first];
    last = first;
    while (isNumber(key) && children[last + 1]?.[1] === text) last++;
    const count = last - first + 1;
    const label = count === 1 ? `(${key}): ` : `(${key}-${children[last][0]}): ${count} × `;
    lines.push(`  ${label}${text.replaceAll("\n", "\n  ")}`);
  }
  return lines.length === 0 ? `${head})` : `${head}\n${lines.join("\n")}\n)`;
}

function isNumber(key: string): boolean {
  return /^\d+$/.test(key);
}
