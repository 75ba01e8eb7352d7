import { control, threadShift, threadWords } from "./control-block.ts";

/** Words of a letter, which brings a module to the threads. The module's bytes follow. */
export const letter = { next: 0, slot: 1, byteLength: 2, number: 3, words: 4 } as const;

/** What a thread needs to begin. */
export interface WorkerStart {
  readonly core: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
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
function start(data) {
  const memory = data.memory, control = data.control >>> 2, thread = data.thread;
  const acknowledged =
    control + ${(control.threads + threadWords.acknowledged) / 4} + (thread << ${threadShift - 2});
  const imports = { e: { m: memory, s() {} }, h: Math };
  const exports = new WebAssembly.Instance(data.core, imports).exports;
  const install = (slot, module) =>
    exports.table.set(slot, new WebAssembly.Instance(module, imports).exports.k);
  for (const [slot, module] of data.modules) install(slot, module);
  let words = new Int32Array(memory.buffer), epoch = data.epoch, letter = data.letter, next;
  try {
    for (;;) {
      exports.work(thread, epoch);
      memory.grow(0);
      words = new Int32Array(memory.buffer);
      epoch = Atomics.load(words, control + ${control.epoch / 4});
      if (Atomics.load(words, control + ${control.failed / 4})) return;
      while ((next = Atomics.load(words, letter >>> 2))) {
        letter = next >>> 0;
        const at = letter >>> 2, from = letter + ${letter.words * 4};
        const bytes = new Uint8Array(memory.buffer).slice(from, from + words[at + ${letter.byteLength}]);
        install(words[at + ${letter.slot}], new WebAssembly.Module(bytes));
        Atomics.store(words, acknowledged, words[at + ${letter.number}]);
      }
    }
  } catch (error) {
    Atomics.store(words, control + ${control.failed / 4}, 1);
    Atomics.notify(words, control + ${control.wake / 4});
    throw error;
  }
}
if (typeof require === "function") start(require("node:worker_threads").workerData);
else onmessage = (event) => start(event.data);
`;
