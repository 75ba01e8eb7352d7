import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { backends, withWideTiles } from "./backends.ts";
import { compare, describeProgram, failsOn, runOn, sameBits } from "./compare.ts";
import { drawFrom } from "./draw.ts";
import { randomProgram } from "./random-kernel.ts";

vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));

// GRADLOOM_SOAK=20000 looks longer, from a seed that changes, and makes what it finds smaller: for a night,
// or after a change.
const soak = Number(process.env.GRADLOOM_SOAK ?? 0);
const parameters = soak > 0 ? { numRuns: soak } : { numRuns: 300, seed: 2011, endOnFailure: true };

describe("WasmBackend", () => {
  const { oracle, one, two } = backends();
  const wide = withWideTiles();

  test(
    "agrees with the oracle on random programs, and with itself on any number of threads and with wide tiles",
    () => {
      let elements = 0;
      let faults = 0;
      let undecided = 0;
      const property = fc.property(fc.gen(), (generate) => {
        const random = randomProgram(drawFrom(generate));
        if (failsOn(oracle, random)) {
          expect(failsOn(one, random) && failsOn(two, random), describeProgram(random)).toBe(true);
          faults++;
          return;
        }
        const got = runOn(one, random);
        const result = compare(random, oracle, got);
        const report = `${result.where}\n${describeProgram(random)}`;
        expect(result.worst, report).toBeLessThanOrEqual(1);
        expect(sameBits(got, runOn(two, random)), `threads differ\n${report}`).toBe(true);
        expect(sameBits(got, runOn(wide, random)), `wide tiles differ\n${report}`).toBe(true);
        elements += result.elements;
        undecided += result.undecided;
      });
      fc.assert(property, parameters);
      expect(faults).toBeGreaterThan(0);
      expect(undecided / elements).toBeLessThan(0.05);
    },
    soak > 0 ? soak * 1000 : 120_000,
  );
});
