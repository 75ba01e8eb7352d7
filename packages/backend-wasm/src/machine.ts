import { BackendError, IndexError, operationName, wholeLines } from "@gradloom/engine";
import { Allocator } from "./allocator.ts";
import * as control from "./control-block.ts";
import { type Core, writeCore } from "./core.ts";
import * as coreSlots from "./core-slots.ts";
import type { Features } from "./features.ts";
import { hostMath } from "./host-math.ts";
import { KernelLibrary } from "./library.ts";
import { LinearMemory } from "./memory.ts";
import { Threads, unfinished } from "./threads.ts";
import { pairVectors } from "./wide-simd.ts";
import { maySleep } from "./worker.ts";

/** How many kernel functions are kept. */
const libraryCapacity = 1024;

/**
 * Bytes between the memory of one thread and the next: a core fetches ahead of what it reads in order, and that must
 * not be what another core is writing. Measured: without it, two threads are hardly faster than one.
 */
const ownDistance = 16384 + 5 * 64;

/** Nanoseconds of work, or four runs, after which threads are started. */
const startWork = 4e6;

/** Memory, functions and threads: what programs run on. */
export class WasmMachine {
  readonly features: Features;
  readonly memory: LinearMemory;
  readonly allocator: Allocator;
  readonly library: KernelLibrary;
  readonly threads: Threads;
  numThreads: number;
  /** Changes when programs have to be laid out again. */
  revision: number = 0;
  readonly #core: Core;
  readonly #sleep: number;
  #broken = false;
  /** Nanoseconds of work so far that threads could have shared. */
  #sharedWork = 0;
  /** The block that all programs share: the arena, then memory shared by threads, then each thread's own. */
  #block = 0;
  #arenaBytes = 0;
  #sharedBytes = 0;
  #ownBytes = 0;
  #ownThreads = 0;
  #droppedSeen = 0;

  constructor(features: Features, numThreads: number) {
    this.features = features;
    this.numThreads = numThreads;
    this.memory = new LinearMemory(features.sharedMemory);
    this.allocator = new Allocator(this.memory, control.controlEnd);
    this.#sleep = features.sharedMemory && maySleep() ? 1 : 0;
    const write = () => compile(writeCore(features));
    const module = features.wideSimd ? pairVectors(write) : write();
    const imports = {
      e: { m: this.memory.memory, s: () => this.threads.checkProgress() },
      h: hostMath,
    };
    const instance = new WebAssembly.Instance(module, imports);
    this.#core = instance.exports as WebAssembly.Exports & Core;
    this.library = new KernelLibrary(coreSlots.firstFree, libraryCapacity, (entry) => {
      const { exports } = new WebAssembly.Instance(entry.module, imports);
      this.#core.table.set(entry.slot, exports.k);
      this.threads.install(entry);
    });
    this.threads = new Threads({
      memory: this.memory,
      allocator: this.allocator,
      core: module,
      loaded: () => this.library.loaded(),
    });
  }

  /** Where the arena starts. */
  get arena(): number {
    return this.#block;
  }

  /** Where the memory starts that steps share with all threads. */
  get sharedMemory(): number {
    return this.#block + this.#arenaBytes;
  }

  /** Where a thread's own memory starts. */
  ownMemory(thread: number): number {
    return this.#block + this.#arenaBytes + this.#sharedBytes + thread * this.#ownBytes;
  }

  /** Sees to it that there is as much of each kind of memory that does not outlive a run. */
  reserveArena(arenaBytes: number, sharedBytes: number, ownBytes: number): void {
    if (this.library.dropped > this.#droppedSeen) {
      this.#droppedSeen = this.library.dropped;
      this.revision++;
    }
    if (
      arenaBytes <= this.#arenaBytes &&
      sharedBytes <= this.#sharedBytes &&
      ownBytes + ownDistance <= this.#ownBytes &&
      this.numThreads <= this.#ownThreads
    ) {
      return;
    }
    this.#arenaBytes = Math.max(this.#arenaBytes, wholeLines(arenaBytes));
    this.#sharedBytes = Math.max(this.#sharedBytes, wholeLines(sharedBytes));
    this.#ownBytes = Math.max(this.#ownBytes, wholeLines(ownBytes) + ownDistance);
    this.#ownThreads = Math.max(this.#ownThreads, this.numThreads);
    if (this.#block !== 0) this.allocator.free(this.#block);
    this.#block = 0;
    this.#block = this.allocator.allocate(this.ownMemory(this.#ownThreads));
    this.revision++;
  }

  /**
   * Runs a plan, on all threads if that is worth it.
   *
   * @throws IndexError if an index was out of range: what came after that has not run.
   */
  run(plan: number, shared: number): void {
    const { words } = this.memory;
    const fault = control.fault >>> 2;
    words[fault] = 0;
    this.#runPlan(plan, shared);
    if (words[fault] === 0) return;
    const [index, size, name] = words.subarray(fault + 1, fault + 4);
    throw new IndexError(operationName(name), index, size);
  }

  #runPlan(plan: number, shared: number): void {
    if (shared === 0 || this.numThreads === 1 || this.#broken || !this.#worthStarting(shared)) {
      this.#core.alone(plan);
      return;
    }
    this.threads.ensure(this.numThreads);
    this.threads.announceGrowth();
    let failed = 1;
    try {
      failed = this.#core.run(plan, this.numThreads, this.#sleep);
    } finally {
      if (failed !== 0) {
        // Nobody knows what a thread may still write to the control block: it is not used again.
        this.#broken = true;
        this.threads.stop();
      }
    }
    if (failed !== 0) throw unfinished("one that failed");
  }

  /** Starting threads costs tens of milliseconds: they have to have something to do for longer. */
  #worthStarting(nanoseconds: number): boolean {
    if (this.#sharedWork >= startWork) return true;
    this.#sharedWork += Math.max(nanoseconds, startWork / 4);
    return this.#sharedWork >= startWork;
  }

  /** Ends the threads. */
  dispose(): void {
    this.threads.stop();
  }
}

function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new BackendError(
      `WasmBackend: the host must allow WebAssembly to be compiled, got ${String(cause)}. A page needs 'wasm-unsafe-eval' in its content security policy.`,
    );
  }
}
