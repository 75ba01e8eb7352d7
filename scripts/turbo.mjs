// Runs turbo with its telemetry off: node scripts/turbo.mjs <task> [options]
import { fileURLToPath } from "node:url";
import { runTool } from "./tools.mjs";

/** Runs a turbo task over the workspace. */
export function turbo(args, quiet = false) {
  return runTool("turbo", ["run", ...args], { quiet });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = turbo(process.argv.slice(2)).status;
}
