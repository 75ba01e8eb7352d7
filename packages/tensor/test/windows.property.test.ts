import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { WasmBackend } from "@gradloom/backend-wasm";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromTypedArray } from "../src/create.ts";
import { engine, realize } from "../src/engine.ts";
import * as ops from "../src/ops/index.ts";
import type { Tensor } from "../src/tensor.ts";
import { grad } from "../src/transforms/grad.ts";
import { largestDifference, real, valuesOf } from "./samples.ts";

const backends = [
  new JsBackend(checkProgram),
  new WasmBackend({ threads: 1 }),
  new WasmBackend({ threads: 2 }),
];

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const pair = (max: number, min = 1) => fc.tuple(upTo(max, min), upTo(max, min));

/** Sizes and options of a convolution and of a pool. */
const geometry = fc.record({
  batch: upTo(3),
  groups: fc.constantFrom(1, 1, 2, 3),
  inChannels: upTo(9),
  outChannels: upTo(9),
  /** As many groups as channels. */
  depthwise: fc.boolean(),
  size: fc.oneof(pair(12), fc.tuple(upTo(9), upTo(40))),
  taps: pair(4),
  stride: pair(3),
  dilation: pair(3),
  padding: pair(3, 0),
  ceilMode: fc.boolean(),
  op: fc.constantFrom("conv2d", "convTranspose2d", "maxPool2d", "avgPool2d", "unfold"),
});

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never;

function inputOf(shape: readonly number[], number: number): Tensor {
  return fromTypedArray(valuesOf(real(shape), number), shape, { dtype: "float32" }).requiresGrad_();
}

/** The result and the gradients, or `undefined` where the sizes allow no result. */
function evaluate(g: Geometry): Tensor[] | undefined {
  const { op, stride, dilation, padding, taps, ceilMode } = g;
  const groups = g.depthwise ? 16 : g.groups;
  const inChannels = g.depthwise ? 1 : g.inChannels;
  const outChannels = g.depthwise ? Math.ceil(g.outChannels / 5) : g.outChannels;
  const x = inputOf([g.batch, inChannels * groups, ...g.size], 0);
  const options = { stride, dilation, padding, groups };
  const half = padding.map((n, a) => Math.min(n, Math.floor(taps[a] / 2)));
  const inputs = [x];
  let y: Tensor;
  try {
    if (op === "conv2d") {
      inputs.push(inputOf([outChannels * groups, inChannels, ...taps], 1));
      y = ops.conv2d(x, inputs[1], options);
    } else if (op === "convTranspose2d") {
      inputs.push(inputOf([inChannels * groups, outChannels, ...taps], 1));
      y = ops.convTranspose2d(x, inputs[1], options);
    } else if (op === "maxPool2d") {
      y = ops.maxPool2d(x, taps, { stride, dilation, padding: half, ceilMode });
    } else if (op === "avgPool2d") {
      y = ops.avgPool2d(x, taps, { stride, padding: half, ceilMode, countIncludePad: groups > 1 });
    } else {
      y = ops.unfold(x, taps, { stride, dilation, padding });
    }
  } catch (error) {
    expect(String(error)).toMatch(/must (fit|not be empty)/);
    return undefined;
  }
  const upstream = inputOf(y.shape, 2);
  const first = grad(y.mul(upstream).sum(), inputs, { createGraph: true });
  const loss = first.map((gradient) => gradient.square().sum()).reduce((a, b) => a.add(b));
  const second = grad(loss, [...inputs, upstream], { allowUnused: true });
  return [y, ...first, ...second.filter((gradient) => gradient !== null)];
}

test("windows of any geometry: backends agree, to second order", () => {
  fc.assert(
    fc.property(geometry, (g) => {
      const [expected, ...others] = backends.map((backend) => {
        engine().use(backend);
        const results = evaluate(g);
        if (results !== undefined) realize(...results);
        return results?.map((tensor) => tensor.dataSync());
      });
      expect(others[1], "on two threads").toEqual(others[0]);
      for (const actual of others) {
        actual?.forEach((values, i) => {
          const scale = [...expected![i]].reduce(
            (a: number, b: number) => Math.max(a, Math.abs(b)),
            1,
          );
          const difference = largestDifference(values, expected![i], 1e-4, 2e-6 * scale);
          expect(difference, `result ${i}`).toBeUndefined();
        });
      }
    }),
    { numRuns: 60, seed: 3 },
  );
}, 120_000);
