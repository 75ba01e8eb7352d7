import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installWithNpm, run, temporaryFolder } from "../packaging/packages.ts";

/** Nodes whose V8 pairs vectors of 128 bits when it is asked to. What it does wrong differs between them. */
const versions = ["24.21.0", "26.10.0"];
const minute = 60_000;
// On other processors V8 has no vectors of 256 bits.
const hosts = describe.skipIf(process.arch !== "x64");

hosts.each(versions)("Node %s with vectors of 256 bits", (version) => {
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
    await installWithNpm(folder.path, `${name}@${version}`);
    expected = await compute(script);
  }, 3 * minute);

  afterAll(folder.remove);

  test("computes the same bits", { timeout: minute }, async () => {
    expect(await compute(script, "wide")).toEqual(expected);
  });

  test("has V8 pair vectors of products, and of nothing else", { timeout: minute }, async () => {
    const trace = await compute("--trace-wasm-revectorize", script, "wide");
    const count = (text: RegExp) => trace.filter((line) => text.test(line)).length;
    expect(count(/Decided? to vectorize/)).toBeGreaterThan(2);
    // Those of the one module that is compiled with the experiment on.
    expect(count(/Begin revec function/)).toBeLessThan(30);
  });
});
