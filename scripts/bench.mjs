// `npm run bench`: sets up and runs the benchmarks. Further arguments go to them.
import { join } from "node:path";
import { setUp } from "./setup.mjs";
import { root, runTool } from "./tools.mjs";

setUp();
const bench = join(root, "bench", "dist", "index.js");
process.exitCode = runTool(process.execPath, [bench, ...process.argv.slice(2)]).status;
