import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { afterAll, describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../src/index.ts";
import { winogradOf } from "../src/winograd.ts";
import { runOn, sameBits } from "./compare.ts";
import { type ConvolutionCase, convolution } from "./convolution.ts";

vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));

const small = { batch: 2, channels: 16, outChannels: 20, kernel: [3, 3] } as const;
const cases: readonly ConvolutionCase[] = [
  { ...small, size: [8, 8], padding: 1 },
  // Tiles that reach beyond the picture.
  { ...small, size: [7, 9], padding: 1 },
  { ...small, size: [10, 13] },
  { ...small, size: [11, 6], padding: 2 },
  // Blocks of tiles that go over the end of a line and of a picture; of channels, of terms.
  { ...small, batch: 3, size: [12, 12], padding: 1 },
  { batch: 1, channels: 70, outChannels: 35, kernel: [3, 3], size: [5, 14], padding: 1 },
  // Many terms, which are cut.
  { batch: 1, channels: 9, outChannels: 8, kernel: [3, 3], size: [32, 33], padding: 1 },
];

describe("Winograd's algorithm", { timeout: 120_000 }, () => {
  const oracle = new JsBackend(checkProgram);
  const one = new WasmBackend({ threads: 1 });
  const two = new WasmBackend({ threads: 2 });
  const wide = new WasmBackend({ threads: 2, wideSimd: true });
  const plain = new WasmBackend({ threads: 1, relaxedSimd: false });
  afterAll(() => {
    for (const backend of [one, two, wide, plain]) backend.dispose();
  });

  it.each(cases)("$size, padding $padding, $channels to $outChannels channels", (shape) => {
    for (const part of ["forward", "weight", "input"] as const) {
      const program = convolution(shape, part);
      const [kernel] = program.program.kernels;
      expect(kernel.kind === "matmul" && winogradOf(kernel)?.kind, part).toBe(
        part === "weight" ? "weight" : "result",
      );
      const exact = runOn(oracle, program)[2] as Float32Array;
      const got = runOn(one, program);
      for (const other of [two, wide]) {
        expect(sameBits(got, runOn(other, program)), part).toBe(true);
      }
      const size = Math.sqrt(exact.reduce((sum, x) => sum + x * x, 0) / exact.length);
      for (const result of [got[2], runOn(plain, program)[2]] as Float32Array[]) {
        const worst = result.reduce((most, x, i) => Math.max(most, Math.abs(x - exact[i])), 0);
        expect(worst / size, `${part}: largest error`).toBeLessThan(1e-5);
      }
    }
  });
});
