import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../peers", import.meta.url));
const lockfile = `${folder}/package-lock.json`;
const stamp = `${folder}/node_modules/.package-lock.json`;

/**
 * Installs the JavaScript peers, 300 MB, into a folder outside of the workspace, unless they are there.
 *
 * @returns what went wrong, or undefined
 */
export function installPeers(): string | undefined {
  if (isInstalled()) return undefined;
  process.stderr.write("Installing the JavaScript peers into bench/peers (once, 300 MB) ... ");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr, error } = spawnSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  process.stderr.write(status === 0 ? "done\n" : "failed\n");
  return status === 0 ? undefined : (error?.message ?? stderr).trim();
}

/** npm writes what it has installed; it must be newer than what is asked for, and name each package. */
function isInstalled(): boolean {
  if (!existsSync(stamp) || statSync(stamp).mtimeMs < statSync(lockfile).mtimeMs) return false;
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.keys(dependencies).every((name) => existsSync(`${folder}/node_modules/${name}`));
}
