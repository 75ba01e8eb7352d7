import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "../workspace/projects.ts";

/** A code block of a page. How it is tested is marked behind its three back-ticks. */
export interface Example {
  /** The page, relative to the root of the repository. */
  readonly page: string;
  /** The line of the page on which the code starts, from 1. */
  readonly line: number;
  readonly code: string;
  /**
   * - `run`, marked `ts`: a module of its own, which type-checks and runs to its end.
   * - `check`, marked `ts no-run`: the same, but it only type-checks.
   * - `excerpt`, marked `ts from <path>`: stands in that source word for word.
   */
  readonly kind: "run" | "check" | "excerpt";
  /** For an excerpt: the source, relative to the root of the repository. */
  readonly source: string | undefined;
  /** What the code prints: the block marked `text` right behind it, if there is one. */
  readonly output: string | undefined;
}

const fence = /^```([^\n]*)\n([\s\S]*?)^```$(?:\n{1,2}^```text\n([\s\S]*?)^```$)?/gm;

/** The pages for readers: READMEs, guides, and how to contribute. */
export function pages(): string[] {
  const folders = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path.split(sep).join("/")}`);
  const readmes = [...folders, "bench", "tests"].map((folder) => `${folder}/README.md`);
  return ["README.md", "CONTRIBUTING.md", ...guides.sort(), ...readmes].filter((page) =>
    existsSync(join(root, page)),
  );
}

/** Reads a page. */
export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The TypeScript blocks of a page's text, in order. */
export function examples(page: string, text: string): Example[] {
  return [...text.matchAll(fence)].flatMap(({ index, 1: mark, 2: code, 3: output }) => {
    const [language, ...options] = mark.trim().split(/\s+/);
    if (language !== "ts") return [];
    const line = text.slice(0, index).split("\n").length + 1;
    return [{ page, line, code, output, ...kindOf(options, `${page}:${line}`) }];
  });
}

function kindOf(options: string[], where: string): Pick<Example, "kind" | "source"> {
  const [option, path] = options;
  if (option === undefined) return { kind: "run", source: undefined };
  if (option === "no-run") return { kind: "check", source: undefined };
  if (option === "from" && path !== undefined) return { kind: "excerpt", source: path };
  throw new Error(`${where}: a block is marked ts, ts no-run or ts from <path>, got ${options}.`);
}

/** The relative links of a page's text, without their anchors. Code blocks hold none. */
export function relativeLinks(text: string): string[] {
  const prose = text.replace(fence, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target.split("#")[0])
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}
