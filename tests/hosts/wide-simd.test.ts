import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, temporaryFolder } from "../packaging/packages.ts";

/** A Node whose V8 pairs vectors of 128 bits, if its flag says so. On other processors V8 has no vectors of 256 bits. */
const version = "24.21.0";
const minute = 60_000;

describe.skipIf(process.arch !== "x64")(`Node ${version} with vectors of 256 bits`, () => {
  const folder = temporaryFolder("hosts");
  const system = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${system}-x64`;
  const node = join(folder.path, "node_modules", name, "bin", "node");
  // Code is optimised at once: V8 pairs vectors in nothing else.
  const compute = async (flags: string[], ...args: string[]) => {
    const script = join(import.meta.dirname, "computations.ts");
    const { stdout } = await run(node, ["--no-liftoff", ...flags, script, ...args], folder.path);
    return stdout.trim().split("\n");
  };
  const flag = "--experimental-wasm-revectorize";
  let expected: string[];

  beforeAll(async () => {
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
    await run("npm", ["install", `${name}@${version}`, ...quiet], folder.path);
    expected = await compute([]);
  }, 3 * minute);

  afterAll(folder.remove);

  test("computes the same bits, started with the flag", { timeout: minute }, async () => {
    expect(await compute([flag])).toEqual(expected);
  });

  test("computes the same bits where a program asks for it", { timeout: minute }, async () => {
    expect(await compute([], "wide")).toEqual(expected);
  });

  test("really has V8 pair vectors, which no result shows", { timeout: minute }, async () => {
    const trace = await compute([flag, "--trace-wasm-revectorize"]);
    expect(trace.filter((line) => line.includes("Decide to vectorize")).length).toBeGreaterThan(10);
  });
});
