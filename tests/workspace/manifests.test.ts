import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectFolders, readManifest, root } from "./projects.ts";

const rootManifest = readManifest(root);

describe.each(projectFolders("packages").map((folder) => ({ folder, name: basename(folder) })))(
  "the manifest of $name",
  ({ folder, name }) => {
    const manifest = readManifest(folder);
    const entry = { types: "./dist/index.d.ts", default: "./dist/index.js" };

    test("exports types and one ES module, and sources only inside the workspace", () => {
      expect(manifest.exports).toEqual({
        ".": { "gradloom:source": "./src/index.ts", ...entry },
        "./package.json": "./package.json",
      });
      expect(Object.keys(manifest.exports!["."] as object)[0]).toBe("gradloom:source");
      const published = manifest.publishConfig?.exports;
      expect(published).toEqual({ ".": entry, "./package.json": "./package.json" });
    });

    test("has the fields that every package has", () => {
      expect(manifest).toMatchObject({
        name: `@gradloom/${name}`,
        type: "module",
        sideEffects: false,
        license: rootManifest.license,
        engines: rootManifest.engines,
        files: ["dist", "src", "README.md", "LICENSE"],
        publishConfig: { access: "public" },
        repository: { type: "git", directory: `packages/${name}` },
      });
      expect(manifest.description).toMatch(/\.$/);
      expect(manifest.private).toBeUndefined();
    });

    test("runs nothing when it is installed", () => {
      const scripts = Object.keys(manifest.scripts as object);
      expect(scripts.filter((script) => /install|prepare|prepack/.test(script))).toEqual([]);
    });

    test("links to its neighbours through the workspace", () => {
      for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
        if (dependency.startsWith("@gradloom/"))
          expect([dependency, range]).toEqual([dependency, "workspace:^"]);
      }
    });

    test("has a README that starts with its name", () => {
      expect(existsSync(join(folder, "README.md"))).toBe(true);
      expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(`# @gradloom/${name}\n`);
    });
  },
);

test("one version of pnpm is pinned", () => {
  const workspace = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const version = /^ {2}pnpm: (.+)$/m.exec(workspace)?.[1];
  expect(rootManifest.packageManager).toBe(`pnpm@${version}`);
});
