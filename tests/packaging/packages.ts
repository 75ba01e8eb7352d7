import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { projectFolders, readManifest, root } from "../workspace/projects.ts";

const execute = promisify(execFile);

/** The names of all public packages, without the scope. */
export const packageNames: readonly string[] = projectFolders("packages")
  .filter((folder) => readManifest(folder).private !== true)
  .map((folder) => basename(folder));

/** A folder of this run below the system's temporary folder, and a function that removes it. */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `gradloom-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A command-line tool of the workspace. */
export const tool = (name: string): string => join(root, "node_modules", ".bin", name);

/** Runs a program to its end. Rejects with its output if it fails or takes over a minute. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ stdout: string; stderr: string }> {
  try {
    return await execute(command, args, {
      cwd,
      timeout: 60_000,
      shell: process.platform === "win32",
    });
  } catch (error) {
    const { message, stdout = "" } = error as Error & { stdout?: string };
    throw new Error(`${message}\n${stdout}`);
  }
}

/** Packs every public package as it would be published: the tarballs by package name. */
export async function packAll(folder: string): Promise<Map<string, string>> {
  const tarballs = new Map<string, string>();
  for (const name of packageNames) {
    const source = join(root, "packages", name);
    await run(tool("pnpm"), ["pack", "--pack-destination", folder], source);
    tarballs.set(name, join(folder, `gradloom-${name}-${readManifest(source).version}.tgz`));
  }
  return tarballs;
}

/**
 * An empty project into which npm installs one package from its tarball. Its neighbours come from
 * their tarballs too, as the registry would give them, and nothing else is at hand.
 */
export async function installAlone(
  name: string,
  tarballs: ReadonlyMap<string, string>,
  folder: string,
): Promise<string> {
  const project = join(folder, name);
  const file = (other: string) => [`@gradloom/${other}`, `file:${tarballs.get(other)}`] as const;
  const neighbours = packageNames.filter((other) => other !== name);
  mkdirSync(project);
  const manifest = {
    private: true,
    type: "module",
    dependencies: Object.fromEntries([file(name)]),
    overrides: Object.fromEntries(neighbours.map(file)),
  };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest, null, 2));
  await installWithNpm(project);
  return project;
}

/** What a project's manifest asks for, or packages that are named. */
export async function installWithNpm(project: string, ...packages: string[]): Promise<void> {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
  await run("npm", ["install", ...packages, ...quiet], project);
}
