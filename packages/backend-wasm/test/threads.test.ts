import { execFileSync } from "node:child_process";
import type { Kernel, Program } from "@gradloom/engine";
import { BackendError } from "@gradloom/engine";
import { afterEach, describe, expect, it } from "vitest";
import { threadWord } from "../src/control-block.ts";
import { writeCore } from "../src/core.ts";
import { WasmMachine } from "../src/machine.ts";
import { WasmExecutable } from "../src/program.ts";
import * as threadWords from "../src/thread-words.ts";
import { workerSource } from "../src/worker-source.ts";

const length = 60_000;

/** `y = sin(x) * scale`, then `z = y + y` and a sum over rows of 100: several kernels for all threads. */
function program(scale: number): Program {
  const load = (buffer: number, strides: number[]) =>
    ({ op: "load", dtype: "float32", guards: [], access: { buffer, offset: 0, strides } }) as const;
  const store = (value: number, buffer: number, strides: number[]) => ({
    value,
    access: { buffer, offset: 0, strides },
  });
  const common = { kind: "loop", scalars: [], scratch: [], label: [] } as const;
  const kernels: Kernel[] = [
    {
      ...common,
      buffers: [0, 1],
      outer: [length],
      stages: [
        {
          inner: [],
          code: [
            load(0, [1]),
            { op: "sin", dtype: "float32", args: [0] },
            { op: "constant", dtype: "float32", value: scale },
            { op: "mul", dtype: "float32", args: [1, 2] },
          ],
          stores: [store(3, 1, [1])],
          results: [],
        },
      ],
    },
    {
      ...common,
      buffers: [1, 2],
      outer: [length / 100],
      stages: [
        {
          inner: [100],
          code: [load(0, [100, 1])],
          stores: [],
          results: [{ value: 0, reduce: "sum" }],
        },
        {
          inner: [],
          code: [{ op: "result", dtype: "float32", stage: 0, result: 0 }],
          stores: [store(0, 1, [1])],
          results: [],
        },
      ],
    },
  ];
  const buffer = (size: number) =>
    ({ dtype: "float32", length: size, arenaOffset: undefined }) as const;
  return {
    kernels,
    barriers: [false, true],
    buffers: [buffer(length), buffer(length), buffer(length / 100)],
    scalars: [],
    arenaBytes: 0,
  };
}

const side = 128;

/** `pow(a · b, 1.5)`: the epilogue calls a function of the host, which other threads do not have. */
const powerOfProduct: Program = {
  kernels: [
    {
      kind: "matmul",
      label: [],
      buffers: [0, 1, 2],
      scalars: [],
      dtype: "float32",
      batch: [],
      m: side,
      n: side,
      k: side,
      a: { buffer: 0, offset: 0, batchStrides: [], rowStride: side, columnStride: 1 },
      b: { buffer: 1, offset: 0, batchStrides: [], rowStride: side, columnStride: 1 },
      epilogue: {
        inner: [],
        code: [
          { op: "product", dtype: "float32" },
          { op: "constant", dtype: "float32", value: 1.5 },
          { op: "pow", dtype: "float32", args: [0, 1] },
        ],
        stores: [{ value: 2, access: { buffer: 2, offset: 0, strides: [side, 1] } }],
        results: [],
      },
    },
  ],
  barriers: [true],
  buffers: [0, 1, 2].map(() => ({ dtype: "float32", length: side * side, arenaOffset: undefined })),
  scalars: [],
  arenaBytes: 0,
};

const machines: WasmMachine[] = [];

function machine(threads: number): WasmMachine {
  const created = new WasmMachine(
    { relaxedSimd: false, wideSimd: false, sharedMemory: true },
    threads,
  );
  machines.push(created);
  return created;
}

afterEach(() => {
  for (const used of machines.splice(0)) used.dispose();
});

function bind(on: WasmMachine): number[] {
  const sizes = [length, length, length / 100];
  const addresses = sizes.map((size) => on.allocator.allocate(4 * size));
  on.memory.floats.set(
    Float32Array.from({ length }, (_, i) => (i % 1000) / 100),
    addresses[0] / 4,
  );
  return addresses;
}

function output(on: WasmMachine, addresses: readonly number[]): Float32Array {
  return on.memory.floats.slice(addresses[2] / 4, addresses[2] / 4 + length / 100);
}

/** Runs until another thread has taken part, without ever returning to the event loop. */
function runUntilShared(on: WasmMachine, run: () => void): void {
  const before = on.threads.chunksRun;
  const deadline = performance.now() + 20_000;
  while (on.threads.chunksRun === before) {
    expect(performance.now(), "no thread joined in time").toBeLessThan(deadline);
    run();
  }
}

// Threads start when the system gets round to it.
describe("threads", { timeout: 60_000 }, () => {
  it("compute the same bits as one thread, with functions that reach them in a synchronous loop", () => {
    const one = machine(1);
    const two = machine(3);
    const addressesOne = bind(one);
    const addressesTwo = bind(two);
    const first = new WasmExecutable(program(1), two);
    runUntilShared(two, () => first.run(addressesTwo, []));
    // The threads run by now: what is compiled from here on is sent through the memory.
    for (let scale = 2; scale < 25; scale++) {
      const expected = new WasmExecutable(program(scale), one);
      expected.run(addressesOne, []);
      const actual = new WasmExecutable(program(scale), two);
      for (let i = 0; i < 5; i++) {
        two.memory.floats.fill(Number.NaN, addressesTwo[2] / 4, addressesTwo[2] / 4 + length / 100);
        actual.run(addressesTwo, []);
        expect(output(two, addressesTwo)).toEqual(output(one, addressesOne));
      }
      // Memory that grows meanwhile is seen by all.
      if (scale % 10 === 0) two.allocator.allocate(two.memory.byteLength / 2);
      actual.dispose();
    }
  });

  it("leave a product to the first thread if its epilogue needs the host", () => {
    const run = (on: WasmMachine) => {
      const addresses = [0, 1, 2].map(() => on.allocator.allocate(4 * side * side));
      for (const address of addresses.slice(0, 2)) {
        on.memory.floats.set(
          Float32Array.from({ length: side * side }, (_, i) => (i % 13) / 13),
          address / 4,
        );
      }
      const executable = new WasmExecutable(powerOfProduct, on);
      for (let i = 0; i < 20; i++) executable.run(addresses, []);
      return on.memory.floats.slice(addresses[2] / 4, addresses[2] / 4 + side * side);
    };
    const two = machine(2);
    const joined = new WasmExecutable(program(1), two);
    const addresses = bind(two);
    runUntilShared(two, () => joined.run(addresses, []));
    expect(run(two)).toEqual(run(machine(1)));
  });

  it("can be more and fewer from run to run", () => {
    const changing = machine(1);
    const addresses = bind(changing);
    const executable = new WasmExecutable(program(3), changing);
    executable.run(addresses, []);
    const expected = output(changing, addresses);
    for (const count of [2, 4, 1, 3, 2]) {
      changing.numThreads = count;
      for (let i = 0; i < 20; i++) executable.run(addresses, []);
      expect(output(changing, addresses)).toEqual(expected);
    }
  });

  it("are not missed when they die between runs", async () => {
    const two = machine(2);
    const addresses = bind(two);
    const executable = new WasmExecutable(program(3), two);
    runUntilShared(two, () => executable.run(addresses, []));
    const expected = output(two, addresses);
    await two.threads.workers.get(1)?.terminate();
    for (let i = 0; i < 20; i++) executable.run(addresses, []);
    expect(output(two, addresses)).toEqual(expected);
    // Another one takes its place.
    runUntilShared(two, () => executable.run(addresses, []));
    expect(output(two, addresses)).toEqual(expected);
  });

  it("that die in the middle of a run end it with an error, and the next runs do without", () => {
    const two = machine(2);
    const addresses = bind(two);
    const executable = new WasmExecutable(program(3), two);
    runUntilShared(two, () => executable.run(addresses, []));
    const expected = output(two, addresses);
    two.threads.patience = 300;
    // Not awaited: the thread is stopped at some point of the runs that follow at once.
    void two.threads.workers.get(1)?.terminate();
    let error: unknown;
    for (let i = 0; i < 500 && error === undefined; i++) {
      try {
        executable.run(addresses, []);
      } catch (caught) {
        error = caught;
      }
    }
    if (error !== undefined) expect(error).toBeInstanceOf(BackendError);
    executable.run(addresses, []);
    expect(output(two, addresses)).toEqual(expected);
  });

  it("neither keep the process alive nor disturb its end", () => {
    const core = writeCore({ relaxedSimd: false, wideSimd: false, sharedMemory: true });
    const script = `
      const { Worker } = require("node:worker_threads");
      const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
      const words = new Int32Array(memory.buffer);
      const core = new WebAssembly.Module(Buffer.from("${Buffer.from(core).toString("base64")}", "base64"));
      const workerData = { core, memory, thread: 1, modules: [], letter: 8192, epoch: 0 };
      new Worker(${JSON.stringify(workerSource)}, { eval: true, workerData }).unref();
      const sleeping = () => Atomics.load(words, ${threadWord(1, threadWords.asleep)}) === 1;`;
    const ends = [
      "",
      "while (!sleeping());",
      "while (!sleeping()); process.exit(0);",
      // It is awake, and looks for work.
      `while (!sleeping()); Atomics.notify(words, ${threadWord(1, threadWords.ticket)}); process.exit(0);`,
    ];
    for (const end of ends) {
      execFileSync(process.execPath, ["-e", `${script}\n${end}`], { timeout: 30_000 });
    }
  });
});
