import * as control from "./control-block.ts";
import * as letter from "./letter-words.ts";
import * as threadWords from "./thread-words.ts";

/** What a thread needs to begin. */
export interface WorkerStart {
  readonly core: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
  /** Functions that exist already, with their positions in the table. */
  readonly modules: readonly (readonly [number, WebAssembly.Module])[];
  /** The last letter that was sent: the thread reads those behind it. */
  readonly letter: number;
  readonly epoch: number;
}

/**
 * What a thread runs, as text: it has to reach a worker without a file of its own, through any bundler, and untouched
 * by compilers that would make it refer to something outside. It leaves `work` when there is
 * something to be done in JavaScript: modules arrive through the memory, because a message would not
 * as long as the first thread is in a synchronous loop.
 */
export const workerSource: string = `"use strict";
function start({ core, memory, thread, modules, letter, epoch }) {
  const imports = { e: { m: memory, s() {} }, h: Math };
  const load = (module) => new WebAssembly.Instance(module, imports).exports;
  const { table, work } = load(core);
  const install = (slot, module) => table.set(slot, load(module).k);
  for (const entry of modules) install(...entry);
  let words = new Int32Array(memory.buffer), next;
  try {
    for (;;) {
      work(thread, epoch);
      memory.grow(0);
      words = new Int32Array(memory.buffer);
      epoch = Atomics.load(words, ${control.epoch / 4});
      if (Atomics.load(words, ${control.failed / 4})) return;
      while ((next = Atomics.load(words, letter >>> 2))) {
        letter = next >>> 0;
        const [, slot, length, number] = words.subarray(letter >>> 2);
        const bytes = new Uint8Array(memory.buffer, letter + ${letter.words * 4}, length);
        install(slot, new WebAssembly.Module(bytes.slice()));
        Atomics.store(words, ${(control.threads + threadWords.acknowledged) / 4} + (thread << ${control.threadShift - 2}), number);
      }
    }
  } catch (error) {
    Atomics.store(words, ${control.failed / 4}, 1);
    Atomics.notify(words, ${control.wake / 4});
    throw error;
  }
}
if (typeof require === "function") start(require("node:worker_threads").workerData);
else onmessage = (event) => start(event.data);
`;
