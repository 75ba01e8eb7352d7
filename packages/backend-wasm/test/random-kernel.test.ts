import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { elementOps, type Kernel, stagesOf } from "@gradloom/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matmulAsLoops } from "../src/matmul-loop.ts";
import { compare, failsOn, runOn, sameBits } from "./compare.ts";
import { drawFrom } from "./draw.ts";
import type { RandomProgram } from "./kernel-builder.ts";
import { randomProgram } from "./random-kernel.ts";

function sample(count: number): RandomProgram[] {
  const generate = fc.sample(fc.gen(), { numRuns: count, seed: 7 });
  const programs = generate.map((g) => randomProgram(drawFrom(g)));
  return programs.filter((program) => !failsOn(new JsBackend(), program));
}

describe("random programs", () => {
  const programs = sample(400);
  const kernels = programs.flatMap(({ program }): readonly Kernel[] => program.kernels);

  test("are valid and give the same bits each time", { timeout: 60_000 }, () => {
    const backend = new JsBackend(checkProgram);
    for (const program of programs.slice(0, 100)) {
      expect(sameBits(runOn(backend, program), runOn(backend, program))).toBe(true);
    }
  });

  test("use every operation, reduction, guard, scratch row and kind of kernel", () => {
    const stages = kernels.flatMap(stagesOf);
    const ops = new Set(stages.flatMap(({ code }) => code.map(({ op }) => op)));
    expect([...ops]).toEqual(expect.arrayContaining(Object.keys(elementOps)));
    expect([...ops]).toEqual(
      expect.arrayContaining(["load", "index", "scalar", "result", "product", "check", "scan"]),
    );
    expect(new Set(kernels.map(({ kind }) => kind))).toEqual(
      new Set(["loop", "matmul", "scatter", "sort"]),
    );
    const reduces = new Set(stages.flatMap(({ results }) => results.map(({ reduce }) => reduce)));
    expect(reduces.size).toBe(7);
    expect(kernels.some((kernel) => kernel.kind === "loop" && kernel.scratch.length > 1)).toBe(
      true,
    );
    const loads = stages.flatMap(({ code }) => code.filter((step) => step.op === "load"));
    expect(loads.some(({ guards }) => guards.length > 1)).toBe(true);
    expect(loads.some(({ index }) => index !== undefined)).toBe(true);
    expect(programs.some(({ contents }) => contents.includes(undefined))).toBe(true);
  });
});

describe("the comparison", () => {
  const backend = new JsBackend(checkProgram);

  test("accepts a product of matrices written as loops", { timeout: 60_000 }, () => {
    let products = 0;
    for (const random of sample(100)) {
      const kernels = random.program.kernels.map((kernel) =>
        kernel.kind === "matmul" ? matmulAsLoops(kernel) : kernel,
      );
      if (!random.program.kernels.some(({ kind }) => kind === "matmul")) continue;
      const written = { ...random, program: { ...random.program, kernels } };
      const { worst, where } = compare(random, backend, runOn(backend, written));
      expect(worst, where).toBeLessThanOrEqual(1);
      products++;
    }
    expect(products).toBeGreaterThan(20);
  });

  test("notices an element that is off by more than its operations explain", () => {
    const [random] = sample(1);
    const right = runOn(backend, random);
    const buffer = right.findIndex((array) => array instanceof Float32Array && array.length > 3);
    const changed = (by: (x: number) => number): number => {
      const copy = right.map((array) => array?.slice());
      const array = copy[buffer];
      if (array === undefined) throw new Error("the sample has no float32 buffer");
      array[3] = by(array[3]);
      return compare(random, backend, copy).worst;
    };
    expect(changed((x) => x)).toBe(0);
    expect(changed((x) => x * 1.001 + 0.001)).toBeGreaterThan(1);
    expect(changed(() => NaN)).toBe(Infinity);
  });
});
