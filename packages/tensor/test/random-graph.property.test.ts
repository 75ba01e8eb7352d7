import { JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import { type Backend, type DType, Engine, type Node, type TypedArray } from "@gradloom/engine";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { interpret } from "./interpreter.ts";
import { programs, RandomGraph, type Step } from "./random-graph.ts";
import { largestDifference } from "./samples.ts";

const js = new JsBackend();
const wasm = new WasmBackend();
const wasm2 = new WasmBackend();
wasm2.setNumThreads(2);
afterAll(() => wasm2.setNumThreads(1));

/** Ways to carry out a graph that must not matter. */
const ways: readonly (readonly [string, Engine])[] = [
  ["js, neither fusion nor reuse of memory", engine(js, false, false)],
  ["js", engine(js, true, true)],
  ["wasm, neither fusion nor reuse of memory", engine(wasm, false, false)],
  ["wasm, no fusion", engine(wasm, false, true)],
  ["wasm, no reuse of memory", engine(wasm, true, false)],
  ["wasm", engine(wasm, true, true)],
  ["wasm, two threads", engine(wasm2, true, true)],
];

function engine(backend: Backend, fusion: boolean, reuse: boolean): Engine {
  return new Engine(backend, { fusion, reuse });
}

/** What the definitions of the operations give. */
function expected(dtype: DType, program: readonly Step[]): TypedArray[] {
  const { nodes } = new RandomGraph(ways[0][1], dtype, program);
  const known = new Map<Node, TypedArray>();
  return nodes.map((node) => interpret(node, known));
}

/** Compares all nodes of a graph; `read` says how they are read. */
function check(
  dtype: DType,
  program: readonly Step[],
  tolerance: number,
  read: (engine: Engine, nodes: readonly Node[]) => void,
): void {
  const values = expected(dtype, program);
  for (const [name, way] of ways) {
    const { nodes } = new RandomGraph(way, dtype, program);
    read(way, nodes);
    nodes.forEach((node, i) => {
      const difference = largestDifference(way.readSync(node), values[i], tolerance, tolerance);
      const text = `${name}: node ${i} of ${nodes.length}, [${node.shape.join(", ")}], ${difference}`;
      expect(difference === undefined, text).toBe(true);
    });
  }
}

const runs = { numRuns: 60, seed: 1 };

describe.each([
  ["int32", 0],
  ["float64", 1e-9],
  ["float32", 1e-3],
] as const)("random graphs of %s", (dtype, tolerance) => {
  test("all at once", () => {
    fc.assert(
      fc.property(programs, (program) => {
        check(dtype, program, tolerance, (way, nodes) => way.realize(nodes));
      }),
      runs,
    );
  });

  test("some first, others from those", () => {
    fc.assert(
      fc.property(programs, fc.nat(), (program, k) => {
        check(dtype, program, tolerance, (way, nodes) => way.realize([nodes[k % nodes.length]]));
      }),
      runs,
    );
  });

  test("only the last", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const values = expected(dtype, program);
        for (const [name, way] of ways) {
          const node = new RandomGraph(way, dtype, program).nodes.at(-1)!;
          const difference = largestDifference(
            way.readSync(node),
            values[values.length - 1],
            tolerance,
            tolerance,
          );
          expect(difference === undefined, `${name}: ${difference}`).toBe(true);
        }
      }),
      runs,
    );
  });
});
