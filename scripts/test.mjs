// `npm test`: sets up and runs all tests of all packages. Further arguments go to vitest.
import { setUp } from "./setup.mjs";
import { runTool } from "./tools.mjs";

setUp();
process.exitCode = runTool("vitest", ["run", ...process.argv.slice(2)]).status;
