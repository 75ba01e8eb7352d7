// What `.ci/run` runs: set-up, checks, all tests. The last line is `N passed, N failed`.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runChecks } from "./checks.mjs";
import { root, runTool } from "./tools.mjs";

const report = join(root, "node_modules", ".cache", "gradloom", "tests.json");

rmSync(report, { force: true });
installBrowser();
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const { status } = runTool("npm", ["test", "--silent", "--", ...reporters]);
const tests = countTests(status);
const checks = runChecks();

const passed = tests.passed + checks.passed;
const failed = tests.failed + checks.failed;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** The page is tested in Chromium, where there is one or Debian's can be had. */
function installBrowser() {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  if (names.some((name) => existsSync(`/usr/bin/${name}`)) || process.getuid?.() !== 0) return;
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    const { status, output } = runTool("apt-get", args, { quiet: true });
    if (status !== 0) return console.log(`Chromium could not be installed:\n${output}`);
  }
}

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
