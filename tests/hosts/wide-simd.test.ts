import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, temporaryFolder } from "../packaging/packages.ts";

/** A Node whose V8 pairs vectors of 128 bits when it is asked to. On other processors V8 has no vectors of 256 bits. */
const version = "24.21.0";
const minute = 60_000;

describe.skipIf(process.arch !== "x64")(`Node ${version} with vectors of 256 bits`, () => {
  const folder = temporaryFolder("hosts");
  const system = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${system}-x64`;
  const node = join(folder.path, "node_modules", name, "bin", "node");
  const compute = async (...args: string[]) => {
    const { stdout } = await run(node, args, folder.path);
    return stdout.trim().split("\n");
  };
  const script = join(import.meta.dirname, "computations.ts");
  let expected: string[];

  beforeAll(async () => {
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
    await run("npm", ["install", `${name}@${version}`, ...quiet], folder.path);
    expected = await compute(script);
  }, 3 * minute);

  afterAll(folder.remove);

  test("computes the same bits", { timeout: minute }, async () => {
    expect(await compute(script, "wide")).toEqual(expected);
  });

  test("has V8 pair vectors of products, and of nothing else", { timeout: minute }, async () => {
    const trace = await compute("--trace-wasm-revectorize", script, "wide");
    const count = (text: string) => trace.filter((line) => line.includes(text)).length;
    expect(count("Decide to vectorize")).toBeGreaterThan(2);
    // Those of the one module that is compiled with the experiment on.
    expect(count("Begin revec function")).toBeLessThan(30);
  });
});
