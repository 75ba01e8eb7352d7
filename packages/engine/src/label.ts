import type { Stage } from "./kernel.ts";

/** The names of what the code of a kernel does, in order, each once. */
export function namesIn(stages: readonly Stage[]): string[] {
  const names = new Set<string>();
  for (const { code, results } of stages) {
    for (const i of code) {
      if (i.op === "load" && i.index) names.add("gather");
      else if ("args" in i || "arg" in i) names.add(i.op);
    }
    for (const { reduce } of results) if (reduce !== undefined) names.add(reduce);
  }
  return [...names];
}
