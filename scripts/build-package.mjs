// Builds the package in the current folder: node ../../scripts/build-package.mjs
// One file of JavaScript, because a process that starts spends half a millisecond on each; types file by file.
import { rmSync } from "node:fs";
import { build } from "esbuild";
import { runTool } from "./tools.mjs";

const cwd = process.cwd();
rmSync("dist", { recursive: true, force: true });
const { status } = runTool("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"], { cwd });
if (status !== 0) process.exit(status);
await build({
  entryPoints: ["src/index.ts"],
  outfile: "dist/index.js",
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "neutral",
  target: "es2022",
  // Puts constants, such as the numbers of instructions, where they are used.
  minifySyntax: true,
  sourcemap: true,
  // The sources are in the package.
  sourcesContent: false,
  logLevel: "warning",
});
