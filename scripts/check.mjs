// `pnpm check`: what CI runs apart from the tests.
import { runChecks } from "./checks.mjs";
import { setUp } from "./setup.mjs";

setUp();
process.exitCode = runChecks().failed === 0 ? 0 : 1;
