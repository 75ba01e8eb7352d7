import type { BufferSpec, DType, LoopKernel, Program } from "@gradloom/engine";
import { ArgumentError } from "@gradloom/engine";
import { afterEach, describe, expect, it } from "vitest";
import { KernelLibrary } from "../src/library.ts";
import { planLoops } from "../src/loop-kernel.ts";
import { WasmMachine } from "../src/machine.ts";
import { WasmExecutable } from "../src/program.ts";
import { WasmBackend } from "../src/wasm-backend.ts";

const machines: WasmMachine[] = [];

function machine(threads = 1): WasmMachine {
  const created = new WasmMachine(
    { relaxedSimd: false, wideSimd: false, sharedMemory: threads > 1 },
    threads,
  );
  machines.push(created);
  return created;
}

afterEach(() => {
  for (const used of machines.splice(0)) used.dispose();
});

/** `to = from * scalar + constant`, element by element. */
function scale(
  from: number,
  to: number,
  length: number,
  constant = 0,
  dtype: DType = "float32",
): LoopKernel {
  return {
    kind: "loop",
    buffers: [from, to],
    scalars: [0],
    label: [],
    outer: [length],
    scratch: [],
    stages: [
      {
        inner: [],
        code: [
          { op: "load", dtype, guards: [], access: { buffer: 0, offset: 0, strides: [1] } },
          { op: "scalar", dtype, scalar: 0 },
          { op: "mul", dtype, args: [0, 1] },
          { op: "constant", dtype, value: constant },
          { op: "add", dtype, args: [2, 3] },
        ],
        stores: [{ value: 4, access: { buffer: 1, offset: 0, strides: [1] } }],
        results: [],
      },
    ],
  };
}

function bound(length: number, dtype: DType = "float32"): BufferSpec {
  return { dtype, length, arenaOffset: undefined };
}

/** Buffer 0 to buffer 1 through the arena. */
function twice(length: number, constant = 0): Program {
  return {
    kernels: [scale(0, 2, length, constant), scale(2, 1, length)],
    barriers: [false, true],
    buffers: [bound(length), bound(length), { dtype: "float32", length, arenaOffset: 128 }],
    scalars: ["float32"],
    arenaBytes: 128 + 4 * length,
  };
}

describe("programs", () => {
  it("share an arena that moves when one needs more, and follow it", () => {
    const on = machine();
    const small = new WasmExecutable(twice(10), on);
    const addresses = [on.allocator.allocate(400_000), on.allocator.allocate(400_000)];
    on.memory.floats.fill(3, addresses[0] / 4, addresses[0] / 4 + 100_000);
    small.run(addresses, [2]);
    expect(on.memory.floats[addresses[1] / 4 + 9]).toBe(12);
    const before = on.arena;
    const large = new WasmExecutable(twice(100_000), on);
    expect(on.arena).not.toBe(before);
    large.run(addresses, [10]);
    expect(on.memory.floats[addresses[1] / 4 + 99_999]).toBe(300);
    small.run(addresses, [-1]);
    expect(on.memory.floats[addresses[1] / 4 + 9]).toBe(3);
    expect(on.memory.floats[addresses[1] / 4 + 10]).toBe(300);
  });

  it("see other addresses and scalars at each run, to the sign of zero", () => {
    const on = machine();
    const program = { ...twice(8), kernels: [scale(0, 1, 8)], barriers: [false] };
    const executable = new WasmExecutable(program, on);
    const addresses = [0, 1, 2].map(() => on.allocator.allocate(32));
    on.memory.floats.fill(5, addresses[0] / 4, addresses[0] / 4 + 8);
    executable.run([addresses[0], addresses[1]], [2]);
    executable.run([addresses[1], addresses[2]], [0]);
    expect(on.memory.floats[addresses[2] / 4 + 7]).toBe(0);
    executable.run([addresses[0], addresses[2]], [Number.NaN]);
    expect(on.memory.floats[addresses[2] / 4 + 7]).toBeNaN();
    executable.run([addresses[0], addresses[2]], [4]);
    expect(on.memory.floats[addresses[2] / 4 + 7]).toBe(20);
  });

  it.each([
    ["float64", 2.5, 2.5],
    ["int32", -3, -3],
    ["uint8", 258, 2],
  ] satisfies [DType, number, number][])("take scalars of %s", (dtype, scalar, expected) => {
    const backend = new WasmBackend({ threads: 1 });
    const executable = backend.compile({
      kernels: [scale(0, 1, 5, 0, dtype)],
      barriers: [false],
      buffers: [bound(5, dtype), bound(5, dtype)],
      scalars: [dtype],
      arenaBytes: 0,
    });
    const addresses = [backend.allocate(40), backend.allocate(40)];
    const ones = { float64: Float64Array, int32: Int32Array, uint8: Uint8Array }[dtype].from([
      1, 1, 1, 1, 1,
    ]);
    backend.write(addresses[0], ones);
    executable.run(addresses, [scalar]);
    expect([...backend.readSync(addresses[1], dtype, 5)]).toEqual(Array(5).fill(expected));
  });

  it("tell the time of each kernel if asked", () => {
    const on = machine();
    const executable = new WasmExecutable(twice(1000), on);
    const addresses = [on.allocator.allocate(4000), on.allocator.allocate(4000)];
    on.memory.floats.fill(3, addresses[0] / 4, addresses[0] / 4 + 1000);
    const seen: number[] = [];
    executable.run(addresses, [2], (kernel, milliseconds) => {
      seen.push(kernel);
      expect(milliseconds).toBeGreaterThanOrEqual(0);
    });
    expect(seen).toEqual([0, 1]);
    expect(on.memory.floats[addresses[1] / 4 + 999]).toBe(12);
  });

  it("compile each structure once, whatever their buffers are called", () => {
    const on = machine();
    new WasmExecutable(twice(10), on);
    // The two kernels of it differ in nothing but their buffers.
    expect(on.library.compiled).toBe(1);
    new WasmExecutable(twice(10), on);
    expect(on.library.compiled).toBe(1);
    new WasmExecutable(twice(11), on);
    expect(on.library.compiled).toBe(2);
    const keys = [0, -0, Infinity, -Infinity].map((c) => planLoops(scale(0, 1, 4, c)).key);
    expect(new Set(keys).size).toBe(4);
  });

  it("give their memory back, and outlive that of their functions", () => {
    const on = machine();
    const addresses = [on.allocator.allocate(4000), on.allocator.allocate(4000)];
    on.memory.floats.fill(1, addresses[0] / 4, addresses[0] / 4 + 1000);
    const first = new WasmExecutable(twice(1000, 0.5), on);
    let settled = 0;
    for (let i = 0; i < 1400; i++) {
      const other = new WasmExecutable(twice(100, i + 0.5), on);
      other.run(addresses, [1]);
      expect(on.memory.floats[addresses[1] / 4 + 99]).toBe(1.5 + i);
      other.dispose();
      other.dispose();
      if (i === 200) settled = on.memory.byteLength;
    }
    expect(on.memory.byteLength).toBe(settled);
    expect(on.library.dropped).toBeGreaterThan(300);
    const compiled = on.library.compiled;
    first.run(addresses, [1]);
    expect(on.memory.floats[addresses[1] / 4 + 999]).toBe(1.5);
    expect(on.library.compiled).toBe(compiled);
  });

  it("may have no kernels at all", () => {
    const on = machine();
    const none = { kernels: [], barriers: [], buffers: [], scalars: [], arenaBytes: 0 };
    new WasmExecutable(none, on).run([], []);
    expect(on.library.compiled).toBe(0);
  });
});

describe("KernelLibrary", () => {
  it("keeps what was used last, and uses the places of the others again", () => {
    const slots: number[] = [];
    const library = new KernelLibrary(2, 3, (entry) => slots.push(entry.slot));
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const [a, b, c] = ["a", "b", "c"].map((key) => library.get(key, () => empty));
    expect(slots).toEqual([2, 3, 4]);
    library.touch(a);
    const d = library.get("d", () => empty);
    library.trim(1);
    expect([a.slot, b.slot, c.slot, d.slot]).toEqual([2, -1, 4, 5]);
    library.touch(b);
    expect(b.slot).toBe(3);
    library.trim(4);
    expect(library.dropped).toBe(1);
    expect(library.compiled).toBe(4);
  });
});

describe("setNumThreads", () => {
  it("takes positive integers", () => {
    const backend = new WasmBackend({ threads: 1 });
    for (const count of [0, -1, 1.5, Number.NaN, 65]) {
      expect(() => backend.setNumThreads(count)).toThrow(ArgumentError);
      expect(() => new WasmBackend({ threads: count })).toThrow(ArgumentError);
    }
    backend.setNumThreads(2);
    expect(backend.numThreads).toBe(2);
  });
});
