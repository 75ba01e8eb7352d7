import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import {
  type Backend,
  type DType,
  Engine,
  type Node,
  StateError,
  type TypedArray,
} from "@gradloom/engine";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "./interpreter.ts";
import { programs, RandomGraph, type Step } from "./random-graph.ts";
import { largestDifference } from "./samples.ts";

const js = new JsBackend(checkProgram);
const wasm = new WasmBackend({ threads: 1 });
const wasm2 = new WasmBackend({ threads: 2 });

/** Only records; a new one for each graph, since too many nodes that nobody asks for are settled. */
const interpreted = (): Engine => engine(js, true, true);

/** Ways to carry out a graph that must not matter. */
const ways: readonly (readonly [string, Engine])[] = [
  ["js, neither fusion nor reuse of memory", engine(js, false, false)],
  ["js", engine(js, true, true)],
  ["wasm, neither fusion nor reuse of memory", engine(wasm, false, false)],
  ["wasm, no fusion", engine(wasm, false, true)],
  ["wasm, no reuse of memory", engine(wasm, true, false)],
  ["wasm", engine(wasm, true, true)],
];

function engine(backend: Backend, fusion: boolean, reuse: boolean): Engine {
  return new Engine(backend, { fusion, reuse });
}

/** What the definitions of the operations give. */
function expected(dtype: DType, program: readonly Step[]): TypedArray[] {
  const { nodes } = new RandomGraph(interpreted(), dtype, program);
  const known = new Map<Node, TypedArray>();
  return nodes.map((node) => interpret(node, known));
}

/** What is asked for at once, before the nodes are read one by one: all, one in between, or none. */
const orders: readonly ((way: Engine, nodes: readonly Node[], k: number) => void)[] = [
  (way, nodes) => way.realize(nodes),
  (way, nodes, k) => way.realize([nodes[k % nodes.length]]),
  () => {},
];

/** Shrinking a program that fails takes long: it stops where it is. */
const runs = { numRuns: 60, seed: 1, interruptAfterTimeLimit: 20_000 };

describe.each([
  ["int32", 0],
  ["float64", 1e-9],
  ["float32", 1e-3],
] as const)("random graphs of %s", (dtype, tolerance) => {
  test.each(ways)(
    "%s",
    (name, way) => {
      const property = fc.property(programs, fc.nat(2), fc.nat(), (program, order, k) => {
        const values = expected(dtype, program);
        const { nodes } = new RandomGraph(way, dtype, program);
        orders[order](way, nodes, k);
        // The last first: what it is made of has not been asked for then.
        for (let i = nodes.length - 1; i >= 0; i--) {
          const difference = largestDifference(
            way.readSync(nodes[i]),
            values[i],
            tolerance,
            tolerance,
          );
          const text = `${name}: node ${i}, ${nodes[i].op} [${nodes[i].shape}]: ${difference}`;
          expect(difference === undefined, text).toBe(true);
        }
      });
      fc.assert(property, runs);
    },
    60_000,
  );
});

describe.each([
  ["int32", 0],
  ["float64", 1e-9],
] as const)("random graphs of %s with states", (dtype, tolerance) => {
  test.each(ways)(
    "%s",
    (_, way) => {
      const property = fc.property(programs, (program) => {
        const recorded = new RandomGraph(interpreted(), dtype, program, { onRealize: () => {} });
        const known = new Map<Node, TypedArray>();
        for (const [node, leaf] of recorded.initial) known.set(node, interpret(leaf, known));
        const values = recorded.nodes.map((node) => interpret(node, known));
        const finals = recorded.states.map((state) => interpret(state.node, known));

        let settled = 0;
        const { nodes, states } = new RandomGraph(way, dtype, program, {
          onRealize: (wanted) => {
            settled++;
            way.realize(wanted);
          },
        });
        const finalNodes = states.map((state) => state.node);
        if (settled === 0) way.realize([...nodes, ...finalNodes]);
        [...finalNodes, ...nodes].forEach((node, i) => {
          let value: TypedArray;
          try {
            value = way.readSync(node);
          } catch (error) {
            // What was left out when states changed cannot be read any more, and says so.
            if (settled > 0 && error instanceof StateError) return;
            throw error;
          }
          const expectedValue = i < finals.length ? finals[i] : values[i - finals.length];
          const difference = largestDifference(value, expectedValue, tolerance, tolerance);
          const name = i < finals.length ? `state ${i}` : `node ${i - finals.length}`;
          const text = `${name}, ${node.op} [${node.shape}]: ${difference}`;
          expect(difference === undefined, text).toBe(true);
        });
      });
      fc.assert(property, runs);
    },
    60_000,
  );
});

// Large enough for threads to share the work.
describe.each(["float32", "float64", "int32"] as const)("large random graphs of %s", (dtype) => {
  const fused = engine(wasm, true, true);
  const unfused = engine(wasm, false, false);
  const threaded = engine(wasm2, true, true);
  const tolerance = { float32: 1e-2, float64: 1e-8, int32: 0 }[dtype];

  function valuesOf(way: Engine, program: readonly Step[]): TypedArray[] {
    const { nodes } = new RandomGraph(way, dtype, program, { size: 12 });
    way.realize(nodes);
    return nodes.map((node) => way.readSync(node));
  }

  test("give the same bits on two threads, and the same numbers without fusion", () => {
    const property = fc.property(programs, (program) => {
      const values = valuesOf(fused, program);
      const compare = (name: string, others: readonly TypedArray[], allowed: number) => {
        others.forEach((value, i) => {
          const difference = largestDifference(value, values[i], allowed, allowed);
          expect(difference === undefined, `${name}, node ${i}: ${difference}`).toBe(true);
        });
      };
      compare("two threads", valuesOf(threaded, program), 0);
      compare("no fusion", valuesOf(unfused, program), tolerance);
    });
    fc.assert(property, { ...runs, numRuns: 10 });
  }, 60_000);
});
