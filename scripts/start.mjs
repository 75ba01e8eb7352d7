// `npm start`: sets up and runs the playground, whose default is the DNN training run.
import { join } from "node:path";
import { setUp } from "./setup.mjs";
import { root, runTool } from "./tools.mjs";

setUp();
const cli = join(root, "apps", "playground", "dist", "cli.js");
process.exitCode = runTool(process.execPath, [cli, ...process.argv.slice(2)], {
  cwd: process.cwd(),
}).status;
