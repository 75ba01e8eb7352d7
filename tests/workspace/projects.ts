import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The parts of a `package.json` that the checks of the workspace read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly publishConfig?: { readonly access?: string; readonly exports?: unknown };
  readonly [field: string]: unknown;
}

/** The folders of the projects below `packages` or `apps`, by name. */
export function projectFolders(group: "packages" | "apps"): string[] {
  return readdirSync(join(root, group))
    .map((name) => join(root, group, name))
    .filter((folder) => existsSync(join(folder, "package.json")));
}

/** Reads the `package.json` of a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** The TypeScript sources below a project's `src`, by path relative to the project. */
export function readSources(folder: string): Map<string, string> {
  const entries = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" });
  return new Map(
    entries
      .filter((path) => path.endsWith(".ts"))
      .map((path) => join(folder, "src", path))
      .map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path, "utf8")]),
  );
}
