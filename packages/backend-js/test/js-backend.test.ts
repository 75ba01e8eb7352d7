import { ArgumentError, BackendError, type Program } from "@gradloom/engine";
import { describe, expect, test } from "vitest";
import { checkProgram, JsBackend } from "../src/index.ts";
import { blank, load, loopKernel, programOf, stage, store } from "./programs.ts";

/** Copies buffer `from` to buffer `to`, both of `length` float32. */
function copy(from: number, to: number, length: number): Program["kernels"][number] {
  const code = [load("float32", 0, [1])];
  const body = loopKernel([length], [stage({ code, stores: [store(0, 1, [1])] })]);
  return { ...body, buffers: [from, to], scalars: [] };
}

describe("memory", () => {
  test("reads back what was written, in a copy, now or later", async () => {
    const backend = new JsBackend(checkProgram);
    const address = backend.allocate(12);
    backend.write(address, new Float32Array([9, 1, 2, 3]).subarray(1));
    const first = backend.readSync(address, "float32", 3);
    expect(first).toEqual(new Float32Array([1, 2, 3]));
    first[0] = 5;
    expect(await backend.read(address, "float32", 2)).toEqual(new Float32Array([1, 2]));
    expect(backend.readSync(address, "uint8", 4)).toEqual(new Uint8Array([0, 0, 128, 63]));
  });

  test("addresses are aligned to 16, distinct, never 0; memory is counted", () => {
    const backend = new JsBackend(checkProgram);
    const addresses = [0, 1, 16, 17, 0].map((bytes) => backend.allocate(bytes));
    expect(new Set([...addresses, 0]).size).toBe(6);
    expect(addresses.every((address) => address % 16 === 0)).toBe(true);
    expect(backend.memoryBytes).toBe(34);
    backend.free(addresses[2]);
    expect(backend.memoryBytes).toBe(18);
  });

  test("refuses addresses and lengths that were not allocated", async () => {
    const backend = new JsBackend(checkProgram);
    const address = backend.allocate(8);
    expect(() => backend.readSync(address, "float32", 3)).toThrow(
      "read: 12 bytes must fit at address 16, got an allocation of 8.",
    );
    expect(() => backend.write(address, new Float64Array(2))).toThrow(BackendError);
    backend.write(address, Float32Array.of(1, 2));
    expect(backend.readSync(address + 4, "float32", 1)).toEqual(Float32Array.of(2));
    expect(() => backend.readSync(address + 4, "float32", 2)).toThrow(
      "read: 8 bytes must fit at address 20, got an allocation of 8.",
    );
    await expect(backend.read(0, "float32", 1)).rejects.toThrow(BackendError);
    backend.free(address);
    expect(() => backend.readSync(address, "float32", 1)).toThrow(BackendError);
    expect(() => backend.free(address)).toThrow(BackendError);
    expect(() => backend.allocate(2 ** 52)).toThrow(BackendError);
  });
});

describe("programs", () => {
  test("kernels run in order through the arena, which programs share", () => {
    const backend = new JsBackend(checkProgram);
    const given = { dtype: "float32", length: 3, arenaOffset: undefined } as const;
    const program: Program = {
      kernels: [copy(0, 2, 3), copy(2, 1, 3)],
      barriers: [true, true],
      buffers: [given, given, { dtype: "float32", length: 3, arenaOffset: 16 }],
      scalars: [],
      arenaBytes: 32,
    };
    const executable = backend.compile(program);
    expect(backend.compiledKernels).toBe(2);
    const [from, to] = [backend.allocate(12), backend.allocate(12)];
    backend.write(from, new Float32Array([1, 2, 3]));
    executable.run([from, to, 0], []);
    expect(backend.readSync(to, "float32", 3)).toEqual(new Float32Array([1, 2, 3]));
    expect(backend.memoryBytes).toBe(24 + 32);

    backend.compile({ ...program, arenaBytes: 64 }).run([from, to, 0], []);
    expect(backend.memoryBytes).toBe(24 + 64);
    executable.run([from, to, 0], []);
    expect(backend.memoryBytes).toBe(24 + 64);
    expect(backend.compiledKernels).toBe(4);
  });

  test("says how long each kernel took", () => {
    const backend = new JsBackend(checkProgram);
    const program = programOf(copy(0, 1, 2), [blank("float32", 2), blank("float32", 2)]);
    const addresses = [backend.allocate(8), backend.allocate(8)];
    const seen: number[] = [];
    backend.compile(program).run(addresses, [], (kernel, milliseconds) => {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      seen.push(kernel);
    });
    expect(seen).toEqual([0]);
  });

  test("refuses an access outside its buffer, and a buffer larger than its allocation", () => {
    const backend = new JsBackend(checkProgram);
    const addresses = [backend.allocate(8), backend.allocate(8)];
    const outside = programOf(copy(0, 1, 3), [blank("float32", 2), blank("float32", 2)]);
    expect(() => backend.compile(outside).run(addresses, [])).toThrow(
      "run: an access must stay inside its buffer, got element 2 of 2.",
    );
    const large = programOf(copy(0, 1, 3), [blank("float32", 3), blank("float32", 3)]);
    expect(() => backend.compile(large).run(addresses, [])).toThrow(
      "run: 12 bytes must fit at address 16, got an allocation of 8.",
    );
  });
});

describe("threads", () => {
  test("there is one, whatever is asked for", () => {
    const backend = new JsBackend(checkProgram);
    backend.setNumThreads(4);
    expect(backend.numThreads).toBe(1);
    expect(() => backend.setNumThreads(0)).toThrow(ArgumentError);
    expect(() => backend.setNumThreads(1.5)).toThrow(
      "setNumThreads: count must be a positive integer, got 1.5.",
    );
  });
});
