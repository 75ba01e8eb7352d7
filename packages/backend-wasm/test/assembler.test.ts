import { expect, test } from "vitest";
import { ModuleWriter } from "../src/assembler.ts";
import * as f32x4 from "../src/opcodes/f32x4.ts";
import * as f64 from "../src/opcodes/f64.ts";
import * as i32 from "../src/opcodes/i32.ts";
import * as i32x4 from "../src/opcodes/i32x4.ts";
import * as v128 from "../src/opcodes/v128.ts";

type Numeric = (...args: number[]) => number;

function instantiate(module: ModuleWriter, env: Record<string, WebAssembly.ImportValue> = {}) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { e: env });
  return instance.exports as Record<string, Numeric>;
}

test("a loop with a branch adds up numbers", () => {
  const module = new ModuleWriter();
  const f = module.function(["i32"], ["i32"], "sum");
  const total = f.local("i32");
  const done = f.block();
  const again = f.loop();
  f.get(0).op(i32.eqz).brIf(done);
  f.get(total).get(0).op(i32.add).set(total);
  f.get(0).i32(1).op(i32.sub).set(0);
  f.br(again).end().end();
  f.get(total);
  expect(instantiate(module).sum(1000)).toBe(500500);
});

test("constants of every size survive", () => {
  const module = new ModuleWriter();
  const values = [0, 63, 64, -64, -65, 127, 128, 8191, 8192, -1, 2 ** 31 - 1, -(2 ** 31)];
  for (const [i, value] of values.entries()) module.function([], ["i32"], `i${i}`).i32(value);
  module.function([], ["f64"], "f64").f64(Math.PI);
  module.function([], ["f32"], "f32").f32(Math.PI);
  module.function([], ["i64"], "i64").i64(-(2 ** 63));
  const exports = instantiate(module);
  for (const [i, value] of values.entries()) expect(exports[`i${i}`]()).toBe(value);
  expect(exports.f64()).toBe(Math.PI);
  expect(exports.f32()).toBe(Math.fround(Math.PI));
  expect(exports.i64()).toBe(-(2n ** 63n));
});

test("vectors are loaded from and stored to an imported shared memory", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  const module = new ModuleWriter();
  module.importMemory(true);
  const f = module.function(["i32"], [], "double");
  f.get(0).get(0).load(v128.load).f32x4(2).op(f32x4.mul).store(v128.store, 1600);
  f.get(0).i32(5).load(i32.atomic_rmw_add).drop();
  const floats = new Float32Array(memory.buffer);
  floats.set([1, 2, 3, 4.5], 4);
  instantiate(module, { m: memory }).double(16);
  expect([...floats.subarray(404, 408)]).toEqual([2, 4, 6, 9]);
});

test("imported functions are called, tables lead to functions", () => {
  const module = new ModuleWriter();
  const host = module.importFunction("e", "sin", ["f64"], ["f64"]);
  const f = module.function(["f64"], ["f64"], "twice");
  f.get(0).call(host).call(host);
  const g = module.function(["f64"], ["f64"]);
  g.get(0).f64(1).op(f64.add);
  module.table(2);
  module.element(0, [f.index, g.index]);
  const type = module.type(["f64"], ["f64"]);
  module.function(["f64", "i32"], ["f64"], "indirect").get(0).get(1).callIndirect(type);
  const exports = instantiate(module, { sin: Math.sin });
  expect(exports.twice(1)).toBe(Math.sin(Math.sin(1)));
  expect(exports.indirect(1, 0)).toBe(exports.twice(1));
  expect(exports.indirect(1, 1)).toBe(2);
});

test("every opcode of vectors is one that the engine knows", () => {
  const module = new ModuleWriter();
  const f = module.function([], ["i32"], "f");
  f.f32x4(-1.5).op(f32x4.abs).f32x4(2).op(f32x4.div).f32x4(0.75).op(f32x4.eq);
  f.i32x4(-1).op(i32x4.eq).op(i32x4.all_true);
  f.i32x4(1, 2, 3, 4).op(i32x4.extract_lane, 2).op(i32.add);
  expect(instantiate(module).f()).toBe(4);
});
