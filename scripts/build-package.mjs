// Builds the package in the current folder: node ../../scripts/build-package.mjs
// One file of JavaScript, because a process that starts spends half a millisecond on each; types file by file.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "esbuild";
import { runTool } from "./tools.mjs";

const cwd = process.cwd();
rmSync("dist", { recursive: true, force: true });
const { status } = runTool("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"], { cwd });
if (status !== 0) process.exit(status);
const { outputFiles } = await build({
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
  write: false,
});
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith(".js") ? withOwnNames(text) : text);
}

/**
 * Classes under their own names, which errors and printed models show. esbuild writes one that mentions itself as
 * `var GPT = class _GPT`; a space in place of the underscore keeps columns as the source map has them. One that is named as a
 * global becomes `Buffer2 = class extends …`, exported as `Buffer`.
 */
function withOwnNames(code) {
  let named = code;
  for (const [, name] of code.matchAll(/\b(\w+) = class _\1\b/g)) {
    named = named.replaceAll(new RegExp(`\\b_${name}\\b`, "g"), ` ${name}`);
  }
  for (const [, local, name] of code.matchAll(/^ {2}(\w+) as (\w+),?$/gm)) {
    named = named.replace(`${local} = class extends`, `${local} = class ${name} extends`);
  }
  return named;
}
