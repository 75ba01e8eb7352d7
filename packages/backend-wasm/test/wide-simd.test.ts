import { expect, it } from "vitest";
import type { NodeProcess } from "../src/node.ts";
import { hasWideSimd, pairVectors } from "../src/wide-simd.ts";

function host(v8: string, arch = "x64", flags: string[] = []): NodeProcess {
  return {
    arch,
    versions: { node: "1.2.3", v8 },
    getBuiltinModule: (name) =>
      name === "node:v8" ? { setFlagsFromString: (flag: string) => flags.push(flag) } : undefined,
  };
}

it("uses wide vectors only where it is asked to", () => {
  expect(hasWideSimd(undefined, host("13.6.233"))).toBe(false);
  expect(hasWideSimd(false, host("13.6.233"))).toBe(false);
  expect(hasWideSimd(true, host("13.6.233"))).toBe(true);
  expect(hasWideSimd(true, host("14.1.2"))).toBe(true);
});

it("says what it needs where it is asked for and cannot be had", () => {
  const message = (got: string) =>
    `WasmBackend: wideSimd must have Node 24 or later on x64, got ${got}. Leave wideSimd out.`;
  // Node 22 knows V8's flag, but does not pair fused multiply-adds.
  expect(() => hasWideSimd(true, host("12.4.254"))).toThrow(message("Node 1.2.3 on x64"));
  expect(() => hasWideSimd(true, host("13.6.233", "arm64"))).toThrow(
    message("Node 1.2.3 on arm64"),
  );
});

it("has V8's experiment on while it compiles, and no longer, whether that fails or not", () => {
  const flags: string[] = [];
  const on = "--experimental-wasm-revectorize --no-liftoff --no-wasm-lazy-compilation";
  const off = "--no-experimental-wasm-revectorize --liftoff --wasm-lazy-compilation";
  const process = host("13.6.233", "x64", flags);
  expect(pairVectors(() => [...flags], process)).toEqual([on]);
  expect(flags.splice(0)).toEqual([on, off]);
  const fail = () => {
    throw new Error("no memory");
  };
  expect(() => pairVectors(fail, process)).toThrow("no memory");
  expect(flags.splice(0)).toEqual([on, off]);
  // Node 25: without it, what is optimised at once cannot go back to code that is not.
  pairVectors(() => undefined, host("14.1.2", "x64", flags));
  expect(flags).toEqual([`${on} --no-wasm-deopt`, `${off} --wasm-deopt`]);
});
