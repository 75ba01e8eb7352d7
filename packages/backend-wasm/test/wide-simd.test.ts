import { expect, it } from "vitest";
import type { NodeProcess } from "../src/node.ts";
import { hasWideSimd } from "../src/wide-simd.ts";

const flag = "--experimental-wasm-revectorize";

/** A host that notes the flags that it is given. */
function host(v8: string, execArgv: readonly string[] = [], arch = "x64") {
  const flags: string[] = [];
  const process: NodeProcess = {
    arch,
    execArgv,
    versions: { node: "1.2.3", v8 },
    getBuiltinModule: (name) =>
      name === "node:v8" ? { setFlagsFromString: (set: string) => flags.push(set) } : undefined,
  };
  return { process, flags };
}

it("uses wide vectors where Node was started with V8's flag, and changes no flag by itself", () => {
  const [without, started] = [host("13.6.233"), host("13.6.233", ["--inspect", flag])];
  expect(hasWideSimd(undefined, without.process)).toBe(false);
  expect(hasWideSimd(undefined, started.process)).toBe(true);
  expect(hasWideSimd(false, started.process)).toBe(false);
  expect([...without.flags, ...started.flags]).toEqual([]);
});

it("turns the flag on when asked", () => {
  const { process, flags } = host("14.1.2");
  expect(hasWideSimd(true, process)).toBe(true);
  expect(flags).toEqual([flag]);
});

it("does without it in versions that do not pair fused multiply-adds, and elsewhere", () => {
  // Node 22 knows the flag.
  expect(hasWideSimd(undefined, host("12.4.254", [flag]).process)).toBe(false);
  expect(hasWideSimd(undefined, host("13.6.233", [], "arm64").process)).toBe(false);
});

it("says what it needs where it is asked for and cannot be had", () => {
  expect(() => hasWideSimd(true, host("11.3.244").process)).toThrow(
    "WasmBackend: wideSimd must have Node 24 or later on x64, got Node 1.2.3 on x64. Leave wideSimd out.",
  );
  expect(() => hasWideSimd(true, host("13.6.233", [], "arm64").process)).toThrow("on arm64");
});
