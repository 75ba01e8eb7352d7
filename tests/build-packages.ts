import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workspace/projects.ts";

/** Runs once before these tests: some of them use the built packages. Quick if nothing changed. */
export function setup(): void {
  execFileSync(process.execPath, [join(root, "scripts", "setup.mjs")], { stdio: "inherit" });
}
