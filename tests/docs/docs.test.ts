import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageNames, run, temporaryFolder, tool } from "../packaging/packages.ts";
import { root } from "../workspace/projects.ts";
import { type Example, examples, pages, readPage, relativeLinks } from "./examples.ts";

// Below `tests`, because its dependencies are all packages: as a user has them, built.
const generated = join(import.meta.dirname, "generated");
const workingFolder = temporaryFolder("docs");

const all = pages().flatMap((page) => examples(page, readPage(page)));
const modules = all.filter(({ kind }) => kind !== "excerpt");

const where = ({ page, line }: Example) => `${page}:${line}`;
const fileName = ({ page, line }: Example) => `${page.replace(/[^a-z0-9]+/gi, "-")}-${line}`;

let diagnostics = "";

beforeAll(async () => {
  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated);
  for (const example of modules) {
    // The padding gives a line in the file the number that it has on the page.
    const text = `${"\n".repeat(example.line - 1)}${example.code}\nexport {};\n`;
    writeFileSync(join(generated, `${fileName(example)}.ts`), text);
  }
  const tsconfig = {
    extends: "../../../tsconfig.base.json",
    compilerOptions: {
      lib: ["ES2022", "WebWorker"],
      types: ["node"],
      noUnusedLocals: false,
      isolatedDeclarations: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      rootDir: ".",
      outDir: "out",
    },
    include: ["*.ts"],
  };
  writeFileSync(join(generated, "tsconfig.json"), JSON.stringify(tsconfig));
  if (modules.length === 0) return;
  await run(tool("tsc"), ["-p", ".", "--pretty", "false"], generated).catch((error: Error) => {
    diagnostics = error.message;
  });
}, 60_000);

afterAll(workingFolder.remove);

test.each(modules.map((example) => [where(example), example] as const))(
  "%s type-checks",
  (_, example) => {
    const lines = diagnostics.split("\n");
    expect(lines.filter((line) => line.startsWith(`${fileName(example)}.ts`))).toEqual([]);
  },
);

test("the compiler has nothing else to say", () => {
  const names = modules.map((example) => `${fileName(example)}.ts`);
  const others = diagnostics
    .split("\n")
    .filter((line) => line.includes("error TS") && !names.some((name) => line.startsWith(name)));
  expect(others).toEqual([]);
});

const runnable = all.filter(({ kind }) => kind === "run");
test.each(runnable.map((example) => [where(example), example] as const))(
  "%s runs",
  { timeout: 60_000 },
  async (_, example) => {
    const file = join(generated, "out", `${fileName(example)}.js`);
    const { stdout } = await run(process.execPath, [file], workingFolder.path);
    if (example.output !== undefined) expect(stdout).toBe(example.output);
  },
);

const excerpts = all.filter(({ kind }) => kind === "excerpt");
test.each(excerpts.map((example) => [where(example), example] as const))(
  "%s stands in its source",
  (_, { source = "", code }) => {
    expect(readFileSync(join(root, source), "utf8")).toContain(code.trimEnd());
  },
);

test.each(pages())("the links of %s lead somewhere", (page) => {
  const folder = dirname(join(root, page));
  const broken = relativeLinks(readPage(page)).filter((link) => !existsSync(join(folder, link)));
  expect(broken).toEqual([]);
});

// Who writes a backend reads the engine's types: its README names no functions.
test.each(packageNames.filter((name) => name !== "engine"))(
  "the README of %s names all that it exports",
  async (name) => {
    const built = pathToFileURL(join(root, "packages", name, "dist", "index.js"));
    const module: object = await import(built.href);
    const words = new Set(readPage(`packages/${name}/README.md`).match(/\w+/g));
    expect(Object.keys(module).filter((key) => !words.has(key))).toEqual([]);
  },
);

describe("reading a page", () => {
  const page = [
    "See [this](a.md#b), [that](https://example.org) and `[not](this.md)`.",
    "```ts",
    "console.log(1);",
    "```",
    "",
    "```text",
    "1",
    "```",
    "```sh",
    "npm test",
    "```",
    "```ts no-run",
    "const a = 1;",
    "```",
    "```ts from src/a.ts",
    "const b = 2;",
    "```",
  ].join("\n");

  test("finds the blocks, their lines, kinds and outputs", () => {
    const common = { page: "x.md", source: undefined, output: undefined };
    expect(examples("x.md", page)).toEqual([
      { ...common, line: 3, code: "console.log(1);\n", kind: "run", output: "1\n" },
      { ...common, line: 13, code: "const a = 1;\n", kind: "check" },
      { ...common, line: 16, code: "const b = 2;\n", kind: "excerpt", source: "src/a.ts" },
    ]);
  });

  test("finds the relative links outside code", () => {
    expect(relativeLinks(page)).toEqual(["a.md"]);
  });

  test("refuses a mark that it does not know", () => {
    expect(() => examples("x.md", "```ts norun\n```")).toThrow("x.md:2: a block is marked");
  });
});
