// Makes a checkout ready to use with nothing but Node and npm: installs what the lockfile names,
// builds every package. Quick and silent when that has been done already.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { root, runTool } from "./tools.mjs";
import { turbo } from "./turbo.mjs";

const stampFile = join(root, "node_modules", ".cache", "gradloom", "setup.json");
const ignored = new Set(["node_modules", "dist", "test", "coverage", ".turbo"]);

/** Installs and builds what is missing or out of date. Ends the process if that fails. */
export function setUp() {
  checkNode();
  const stamp = readStamp();
  const install = digest(manifests());
  if (stamp.install !== install || !existsSync(join(root, "node_modules", ".bin"))) {
    step("Installing dependencies (once)", () => installDependencies());
    writeStamp({ install });
  }
  const build = digest(sources());
  if (stamp.build !== build || !isBuilt()) {
    step("Building the packages", () => turbo(["build", "--output-logs=errors-only"], true));
    writeStamp({ install, build });
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22;
  if (supported) return;
  console.error(
    `Gradloom needs Node ^20.19.0 or >=22.13, got ${process.versions.node}. See https://nodejs.org.`,
  );
  process.exit(1);
}

function installDependencies() {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const install = ["install", "--frozen-lockfile", "--prefer-offline"];
  return runTool("npx", ["--yes", packageManager, ...install], { quiet: true });
}

function step(title, run) {
  const start = performance.now();
  process.stderr.write(`${title} ... `);
  const { status, output } = run();
  if (status !== 0) {
    process.stderr.write(`failed\n${output}`);
    process.exit(status);
  }
  process.stderr.write(`done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

/** What an install depends on: the lockfile and every manifest. */
function manifests() {
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];
  for (const folder of [...builtProjects(), "tests"]) files.push(join(folder, "package.json"));
  return files.map((file) => join(root, file)).filter(existsSync);
}

/** What a build depends on: sources, manifests, compiler settings. */
function sources() {
  const shared = ["tsconfig.base.json", "turbo.json", "scripts/build-package.mjs"];
  const files = [...shared.map((file) => join(root, file)), ...manifests()];
  for (const folder of builtProjects()) collect(join(root, folder), files);
  return files;
}

function isBuilt() {
  return builtProjects().every((folder) => existsSync(join(root, folder, "dist")));
}

/** The folders of the projects that a build compiles: all but the tests. */
function builtProjects() {
  const groups = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
  return [...groups, "bench"].filter((folder) => existsSync(join(root, folder, "package.json")));
}

function collect(folder, files) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (ignored.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) collect(path, files);
    else files.push(path);
  }
}

function digest(files) {
  const hash = createHash("sha256").update(process.version);
  for (const file of files.sort()) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest("hex");
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamp));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
