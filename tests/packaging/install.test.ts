import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installAlone, packAll, packageNames, run, temporaryFolder, tool } from "./packages.ts";

const minute = 60_000;
const folder = temporaryFolder("packaging");
let tarballs: Map<string, string>;

beforeAll(async () => {
  tarballs = await packAll(folder.path);
}, 2 * minute);

afterAll(folder.remove);

describe.each(packageNames)("the package %s", (name) => {
  let project: string;

  beforeAll(async () => {
    project = await installAlone(name, tarballs, folder.path);
    const consumer = join(import.meta.dirname, "consumers", `${name}.ts`);
    copyFileSync(consumer, join(project, "consumer.ts"));
    copyFileSync(consumer, join(project, "consumer-cjs.cts"));
    // As a strict user without the DOM's types compiles it, declarations of the package included.
    const compilerOptions = {
      target: "ES2022",
      lib: ["ES2022"],
      types: [],
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      outDir: "out",
      rootDir: ".",
    };
    const files = ["consumer.ts", "consumer-cjs.cts"];
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  }, 2 * minute);

  test("holds its code, types, sources, README and licence, and no test", () => {
    const installed = join(project, "node_modules", "@gradloom", name);
    for (const file of [
      "dist/index.js",
      "dist/index.d.ts",
      "src/index.ts",
      "README.md",
      "LICENSE",
    ]) {
      expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
    }
    expect(existsSync(join(installed, "test"))).toBe(false);
  });

  test("type-checks and runs in an ES module and in a CommonJS module", {
    timeout: minute,
  }, async () => {
    await run(tool("tsc"), ["-p", "."], project);
    const check =
      "Promise.resolve(consumer.result).then((r) => assert.deepStrictEqual(r, consumer.expected))";
    const esm = `import assert from "node:assert"; const consumer = await import("./out/consumer.js"); ${check}`;
    const cjs = `const assert = require("node:assert"); const consumer = require("./out/consumer-cjs.cjs"); ${check}`;
    expect((await run(process.execPath, ["--input-type=module", "-e", esm], project)).stderr).toBe(
      "",
    );
    expect(
      (await run(process.execPath, ["--input-type=commonjs", "-e", cjs], project)).stderr,
    ).toBe("");
  });

  test("has classes under their own names, which errors and printed models show", {
    timeout: minute,
  }, async () => {
    const others =
      `Object.entries(await import("@gradloom/${name}"))` +
      `.filter(([key, value]) => /^class\\b/.test(value) && value.name !== key).map(([key]) => key)`;
    const script = `console.log(JSON.stringify(${others}))`;
    const args = ["--input-type=module", "-e", script];
    expect(JSON.parse((await run(process.execPath, args, project)).stdout)).toEqual([]);
  });

  test("has no complaint from publint", async () => {
    const tarball = readFileSync(tarballs.get(name)!);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("has no complaint from are-the-types-wrong", { timeout: minute }, async () => {
    const tarball = readFileSync(tarballs.get(name)!);
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    if (!analysis.types) throw new Error("the package holds no types");
    // ES modules only: what `moduleResolution: node10` and `require` before Node 20.19 make of it
    // is no concern.
    const problems = analysis.problems.filter(
      (problem) =>
        problem.kind !== "CJSResolvesToESM" &&
        !("resolutionKind" in problem && problem.resolutionKind === "node10"),
    );
    expect(problems).toEqual([]);
  });
});
