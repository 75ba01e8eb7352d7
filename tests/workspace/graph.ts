import { posix } from "node:path";
import { parseSync } from "vite";

/**
 * Who may know whom: each workspace project and the projects it may import. Rows go from the bottom
 * of the architecture to its top, and a row names only rows above itself, so every arrow points
 * down. A new package adds its row here.
 */
export const graph: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  "backend-js": ["engine"],
  "backend-wasm": ["engine"],
  tensor: ["engine", "backend-js", "backend-wasm"],
  optim: ["tensor"],
  checkpoint: ["tensor"],
  layers: ["tensor"],
  loss: ["tensor", "layers"],
  "rnn-lstm": ["tensor", "layers"],
  cnn: ["tensor", "layers"],
  unet: ["tensor", "layers", "cnn"],
  transformer: ["tensor", "layers"],
  gpt: ["tensor", "layers"],
  moe: ["tensor", "layers"],
  data: ["tensor"],
  train: ["tensor", "optim", "checkpoint", "layers", "loss", "data"],
  playground: [
    "tensor",
    "optim",
    "checkpoint",
    "layers",
    "loss",
    "rnn-lstm",
    "cnn",
    "unet",
    "transformer",
    "gpt",
    "moe",
    "data",
    "train",
  ],
};

/** A project as the check sees it: its manifest's dependencies and its sources by path. */
export interface Project {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly sources: ReadonlyMap<string, string>;
}

const scope = "@gradloom/";

/** Rows of the table that name themselves or a row below: arrows that do not point down. */
export function upwardRows(table: Readonly<Record<string, readonly string[]>>): string[] {
  const rows = Object.keys(table);
  return rows.flatMap((row, index) =>
    table[row]
      .filter((target) => !rows.slice(0, index).includes(target))
      .map((target) => `graph: ${row} names ${target}, which is not a row above it`),
  );
}

/** Everything in a project that breaks the direction of dependencies, one sentence each. */
export function violations({ name, dependencies, sources }: Project): string[] {
  const allowed = graph[name];
  if (allowed === undefined) return [`${name}: has no row in the graph`];
  const found: string[] = [];
  for (const dependency of dependencies.filter((d) => d.startsWith(scope))) {
    if (!allowed.includes(dependency.slice(scope.length))) {
      found.push(`${name}: package.json depends on ${dependency}, which the graph does not allow`);
    }
  }
  for (const [path, text] of sources) {
    for (const specifier of imports(path, text)) {
      const problem = importProblem(path, specifier, dependencies);
      if (problem !== undefined) found.push(`${name}/${path}: imports ${specifier}, ${problem}`);
    }
  }
  return found;
}

function importProblem(
  path: string,
  specifier: string,
  dependencies: readonly string[],
): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(path), specifier);
    return target.startsWith("src/") ? undefined : "which is outside its src";
  }
  const parts = specifier.split("/");
  const target = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  if (!dependencies.includes(target)) return "which package.json does not declare";
  if (target.startsWith(scope) && parts.length > 2) return "which reaches into another package";
  return undefined;
}

/** Every module that a source names: static, type-only, re-exported or dynamic. */
export function imports(path: string, text: string): string[] {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const found = new Set<string>();
  const pending: unknown[] = [program];
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== "object" || node === null) continue;
    const { type, source } = node as { type?: string; source?: { value?: unknown } };
    const names = typeof type === "string" && /^(Import|Export|TSImport)/.test(type);
    if (names && typeof source?.value === "string") found.add(source.value);
    pending.push(...Object.values(node));
  }
  return [...found].sort();
}
