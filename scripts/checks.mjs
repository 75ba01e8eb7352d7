// Every check of the workspace besides the tests.

import { runTool } from "./tools.mjs";
import { turbo } from "./turbo.mjs";

const tool = (command, ...args) => runTool(command, args, { quiet: true });

/** Each check: what it is called and how it runs. */
const checks = [
  ["lint and format (biome)", () => tool("biome", "check", "--error-on-warnings")],
  ["type check (tsc)", () => turbo(["typecheck", "--output-logs=errors-only"], true)],
  ["build (tsc)", () => turbo(["build", "--output-logs=errors-only"], true)],
  ["unused files, exports and dependencies (knip)", () => tool("knip", "--no-progress")],
  ["direction of dependencies, manifests", () => tool("vitest", "run", "tests/workspace/")],
];

/**
 * Runs all checks, also after one has failed, and shows the output of those that fail.
 *
 * @returns {{ passed: number, failed: number }}
 */
export function runChecks() {
  let failed = 0;
  for (const [name, run] of checks) {
    const start = performance.now();
    const { status, output } = run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    if (status === 0) continue;
    console.log(output);
    failed += 1;
  }
  return { passed: checks.length - failed, failed };
}
