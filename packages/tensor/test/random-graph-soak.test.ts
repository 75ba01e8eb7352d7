import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import { type DType, Engine, type Node, type TypedArray } from "@gradloom/engine";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "./interpreter.ts";
import { programs, RandomGraph, type Step } from "./random-graph.ts";
import { largestDifference } from "./samples.ts";

/**
 * How many graphs, and from which seed. A soak: `GRADLOOM_GRAPHS=20000 npx vitest run random-graph-soak` draws others
 * each time; it prints the seed, and `GRADLOOM_SEED` repeats it.
 */
const { GRADLOOM_GRAPHS, GRADLOOM_SEED } = process.env;
const graphs = Number(GRADLOOM_GRAPHS ?? 2000);
const seed = Number(GRADLOOM_SEED ?? (GRADLOOM_GRAPHS === undefined ? 1 : Date.now() % 2 ** 31));
if (GRADLOOM_GRAPHS !== undefined) console.log(`${graphs} graphs, GRADLOOM_SEED=${seed}`);

/** Graphs of one test: kernels stay compiled as long as their backend, so each gets its own. */
const most = 500;
/** Every so many graphs, one that is large enough for threads to share the work. */
const largeEvery = 10;

/** Relative and absolute. Larger tensors have longer sums. */
const tolerances = {
  int32: { small: 0, large: 0 },
  float64: { small: 1e-9, large: 1e-8 },
  float32: { small: 1e-3, large: 1e-2 },
} as const;
const dtypes = ["int32", "float64", "float32"] as const;

const parts = Array.from({ length: Math.ceil(graphs / most) }, (_, i) => ({
  first: i * most,
  count: Math.min(most, graphs - i * most),
}));

function valuesOf(engine: Engine, dtype: DType, program: readonly Step[], size: number) {
  const { nodes } = new RandomGraph(engine, dtype, program, { size });
  engine.realize(nodes);
  return nodes.map((node) => engine.readSync(node));
}

/** What the definitions of the operations give. */
function definition(engine: Engine, dtype: DType, program: readonly Step[]): TypedArray[] {
  const known = new Map<Node, TypedArray>();
  return new RandomGraph(engine, dtype, program).nodes.map((node) => interpret(node, known));
}

describe(`${graphs} random graphs`, () => {
  test.each(parts)(
    "backends and threads agree on $count graphs from number $first on",
    (part) => {
      const js = new Engine(new JsBackend(checkProgram));
      const wasm = new Engine(new WasmBackend({ threads: 1 }));
      const threaded = new Engine(new WasmBackend({ threads: 2 }));
      let drawn = part.first;
      const property = fc.property(programs, (program) => {
        const number = drawn++;
        const dtype = dtypes[number % dtypes.length];
        const isLarge = number % largeEvery === 0;
        const size = isLarge ? 8 : 1;
        const one = valuesOf(wasm, dtype, program, size);
        const compare = (name: string, others: readonly TypedArray[], allowed: number) => {
          others.forEach((value, i) => {
            const difference = largestDifference(value, one[i], allowed, allowed);
            const text = `graph ${number} of ${dtype}, ${name} and wasm, node ${i}: ${difference}`;
            expect(difference === undefined, text).toBe(true);
          });
        };
        const { small, large } = tolerances[dtype];
        compare("two threads", valuesOf(threaded, dtype, program, size), 0);
        compare("js", valuesOf(js, dtype, program, size), isLarge ? large : small);
        if (!isLarge) compare("definitions", definition(js, dtype, program), small);
      });
      // Which dtype and size a graph has hangs on its number, so a smaller graph is no simpler case of it.
      fc.assert(property, { numRuns: part.count, seed: seed + part.first, endOnFailure: true });
    },
    600_000,
  );
});
