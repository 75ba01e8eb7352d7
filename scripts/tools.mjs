// How the scripts of this folder start other programs. Needs nothing but Node.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const bin = join(root, "node_modules", ".bin");

// `turbo` looks for pnpm on the path; nothing started here reports home.
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  DO_NOT_TRACK: "1",
};

const windows = process.platform === "win32";

/**
 * Runs a program and waits for it: a command-line tool of `node_modules/.bin` or one on the path.
 * Output goes to the terminal, or with `quiet` into the result.
 *
 * @returns {{ status: number, output: string }}
 */
export function runTool(command, args, { quiet = false, cwd = root } = {}) {
  const stdio = quiet ? ["ignore", "pipe", "pipe"] : "inherit";
  const result = spawnSync(command, args, {
    cwd,
    env,
    stdio,
    encoding: "utf8",
    shell: windows,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.error) return { status: 127, output: `${command}: ${result.error.message}\n` };
  return {
    status: result.status ?? 1,
    output: quiet ? result.stdout + result.stderr : "",
  };
}
