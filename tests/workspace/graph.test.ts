import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { graph, imports, type Project, upwardRows, violations } from "./graph.ts";
import { projectFolders, readManifest, readSources } from "./projects.ts";

const projects: Project[] = [...projectFolders("packages"), ...projectFolders("apps")].map(
  (folder) => ({
    name: basename(folder),
    dependencies: Object.keys(readManifest(folder).dependencies ?? {}),
    sources: readSources(folder),
  }),
);

describe("the workspace", () => {
  test("has a graph whose arrows all point down", () => {
    expect(upwardRows(graph)).toEqual([]);
  });

  test("has a row for each project and a project for each row", () => {
    expect(projects.map(({ name }) => name).sort()).toEqual(Object.keys(graph).sort());
  });

  test.each(projects)("$name keeps to the graph", (project) => {
    expect(violations(project)).toEqual([]);
  });
});

describe("the check", () => {
  const tensor = (text: string, dependencies = ["@gradloom/engine"]) =>
    violations({ name: "tensor", dependencies, sources: new Map([["src/ops/exp.ts", text]]) });

  test("accepts siblings, declared packages and Node's modules", () => {
    const text = `
      import { a } from "../a.ts";
      import type { Node } from "@gradloom/engine";
      import { inspect } from "node:util";
      // import { Linear } from "@gradloom/layers";
    `;
    expect(tensor(text)).toEqual([]);
  });

  test.each([
    [`import { Linear } from "@gradloom/layers";`, "does not declare"],
    [`import type { Linear } from "@gradloom/layers";`, "does not declare"],
    [`export { Linear } from "@gradloom/layers";`, "does not declare"],
    [`const layers = await import("@gradloom/layers");`, "does not declare"],
    [`let x: import("@gradloom/layers").Linear;`, "does not declare"],
    [`import confetti from "confetti";`, "does not declare"],
    [`import { Node } from "@gradloom/engine/src/node.ts";`, "reaches into another package"],
    [`import { Node } from "../../../engine/src/node.ts";`, "outside its src"],
  ])("refuses %s", (text, problem) => {
    expect(tensor(text)).toEqual([expect.stringContaining(problem)]);
  });

  test("refuses a declared dependency that points up", () => {
    expect(tensor("", ["@gradloom/layers"])).toEqual([expect.stringContaining("@gradloom/layers")]);
  });

  test("refuses a table with a cycle, and a project without a row", () => {
    expect(upwardRows({ a: ["b"], b: ["a"] })).toHaveLength(1);
    expect(upwardRows({ a: ["a"] })).toHaveLength(1);
    expect(violations({ name: "nobody", dependencies: [], sources: new Map() })).toHaveLength(1);
  });

  test("finds each import once", () => {
    expect(imports("x.ts", `import { a } from "b"; import { c } from "b";`)).toEqual(["b"]);
  });
});
