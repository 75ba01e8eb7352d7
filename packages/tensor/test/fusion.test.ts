import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { cat, Engine, element, iota, matmul, type Node, reshape, slice } from "@gradloom/engine";
import { expect, test } from "vitest";

// What random graphs have found, as small as it gets.

/** The values of nodes that are asked for together. */
function valuesOf(make: (engine: Engine) => readonly Node[]): number[][] {
  const engine = new Engine(new JsBackend(checkProgram));
  const nodes = make(engine);
  for (const node of nodes) engine.track(node);
  engine.realize(nodes);
  return nodes.map((node) => Array.from(engine.readSync(node)));
}

test("what reads a joined tensor waits until it is complete", () => {
  const values = valuesOf((engine) => {
    const x = engine.input(Int32Array.of(1, 2, 3), [3], "int32");
    const y = engine.input(Int32Array.of(4, 5, 6), [3], "int32");
    const backwards = slice(cat([x, y], 0), [5], [-1], [3]);
    return [
      element("neg", [cat([x], 0)], "int32"),
      element("neg", [backwards], "int32"),
      element("add", [backwards, y], "int32"),
    ];
  });
  expect(values).toEqual([
    [-1, -2, -3],
    [-6, -5, -4],
    [10, 10, 10],
  ]);
});

test("a matrix product finds its operands computed, also those that its epilogue uses again", () => {
  const values = valuesOf((engine) => {
    const x = engine.input(Float32Array.of(2), [1, 1], "float32");
    const w = element("cast", [iota(4)], "float32");
    const product = matmul(x, reshape(w, [1, 4]));
    return [w, product, element("mul", [product, w], "float32")];
  });
  expect(values).toEqual([
    [0, 1, 2, 3],
    [0, 2, 4, 6],
    [0, 2, 8, 18],
  ]);
});
