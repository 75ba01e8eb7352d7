import fc from "fast-check";
import { expect, test } from "vitest";
import { Engine, element, matmul, type Node, permute, reduce, reshape } from "../src/index.ts";
import { touched } from "../src/memory.ts";
import { IdleBackend } from "./idle-backend.ts";

/** Programs for random chains of products, sums, activations and reuse of earlier results. */
const recipes = fc.array(fc.record({ op: fc.nat(4), left: fc.nat(), right: fc.nat() }), {
  minLength: 1,
  maxLength: 25,
});

function programs(recipe: readonly { op: number; left: number; right: number }[]) {
  const backend = new IdleBackend();
  const engine = new Engine(backend);
  const nodes: Node[] = [engine.input(new Float32Array(64), [8, 8], "float32")];
  for (const { op, left, right } of recipe) {
    const [a, b] = [nodes[left % nodes.length], nodes[right % nodes.length]];
    const square = [
      () => matmul(a, b),
      () => element("add", [a, b], "float32"),
      () => element("exp", [permute(a, [1, 0])], "float32"),
      () => element("mul", [a, reshape(reduce("sum", b, [1]), [8, 1])], "float32"),
      () => element("sub", [a, reduce("max", b, [0])], "float32"),
    ][op]();
    nodes.push(square);
  }
  engine.realize([nodes[nodes.length - 1]]);
  return backend.programs;
}

test("a temporary that is still needed is never overwritten", () => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      for (const { kernels, buffers } of programs(recipe)) {
        const range = (buffer: number) => {
          const { arenaOffset, length } = buffers[buffer];
          return arenaOffset === undefined ? undefined : [arenaOffset, arenaOffset + 4 * length];
        };
        // Who wrote each byte last; a reader must find its own buffer there.
        const owner = new Map<number, number>();
        for (const kernel of kernels) {
          const { reads, writes } = touched(kernel);
          for (const buffer of reads) {
            const bytes = range(buffer);
            // What a kernel reads and writes, it has written itself, in an earlier stage.
            if (bytes === undefined || writes.includes(buffer)) continue;
            for (let at = bytes[0]; at < bytes[1]; at += 4) expect(owner.get(at)).toBe(buffer);
          }
          for (const buffer of writes) {
            const bytes = range(buffer);
            if (bytes === undefined) continue;
            for (let at = bytes[0]; at < bytes[1]; at += 4) owner.set(at, buffer);
          }
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a kernel waits for what it depends on", () => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      for (const { kernels, barriers, buffers } of programs(recipe)) {
        const bytes = (buffer: number): [number, number] => {
          const { arenaOffset, length } = buffers[buffer];
          // Buffers outside the arena are far from it and from each other.
          const start = arenaOffset ?? -1e9 * (buffer + 1);
          return [start, start + 4 * length];
        };
        const overlap = (a: number, b: number) => {
          const [x, y] = [bytes(a), bytes(b)];
          return x[0] < y[1] && y[0] < x[1];
        };
        let open: ReturnType<typeof touched>[] = [];
        kernels.forEach((kernel, i) => {
          if (barriers[i]) open = [];
          const mine = touched(kernel);
          for (const other of open) {
            const clash =
              [...other.writes].some((w) =>
                [...mine.reads, ...mine.writes].some((b) => overlap(w, b)),
              ) || [...other.reads].some((r) => [...mine.writes].some((b) => overlap(r, b)));
            expect(clash).toBe(false);
          }
          open.push(mine);
        });
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});
