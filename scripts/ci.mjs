// What `.ci/run` runs: set-up, checks, all tests. The last line is `N passed, N failed`.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runChecks } from "./checks.mjs";
import { root, runTool } from "./tools.mjs";

const report = join(root, "node_modules", ".cache", "gradloom", "tests.json");

rmSync(report, { force: true });
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const { status } = runTool("npm", ["test", "--silent", "--", ...reporters]);
const tests = countTests(status);
const checks = runChecks();

const passed = tests.passed + checks.passed;
const failed = tests.failed + checks.failed;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * The counts of vitest's report. A run that failed without a failed test (a file that does not
 * load, an error outside every test, no report at all) counts as one more failure.
 */
function countTests(status) {
  let counts = { passed: 0, failed: 0 };
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    counts = { passed: numPassedTests, failed: numFailedTests };
  } catch (error) {
    console.log(`The tests left no report: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
