import { BackendError } from "@gradloom/engine";
import type { Allocator } from "./allocator.ts";
import * as control from "./control-block.ts";
import * as letter from "./letter-words.ts";
import type { LibraryEntry } from "./library.ts";
import type { LinearMemory } from "./memory.ts";
import * as threadWords from "./thread-words.ts";
import { startWorker, type WorkerHandle } from "./worker.ts";

/** What {@link Threads} needs of the backend. */
export interface ThreadsHost {
  readonly memory: LinearMemory;
  readonly allocator: Allocator;
  readonly core: WebAssembly.Module;
  /** Functions that are in the table at present. */
  loaded(): Iterable<LibraryEntry>;
}

/** A letter that some threads may still have to read. */
interface Sent {
  readonly number: number;
  readonly address: number;
}

/**
 * The other threads. They are started when they are first needed, join when they are ready, and are not
 * missed while they are not: see `addDriver`. Those that are not needed any more sleep: a thread that is ended may
 * still run for a while, and would take work from the next of its number. Threads get new functions by letters in the
 * shared memory, a linked list whose read part is freed.
 */
export class Threads {
  /** How long the first thread waits for a chunk that another has begun, without any sign of life. */
  patience: number = 20_000;
  readonly #host: ThreadsHost;
  /** The other threads, by number. */
  readonly workers: Map<number, WorkerHandle> = new Map();
  #sent: Sent[] = [];
  #letters = 0;
  #growths = 0;
  #restarts = 0;
  #lastSign = -1;
  #lastCheck = 0;
  #waited = 0;

  constructor(host: ThreadsHost) {
    this.#host = host;
  }

  /** Sees to it that the threads 1 … `count - 1` run, or will soon. */
  ensure(count: number): void {
    if (this.workers.size >= count - 1) return;
    for (let thread = 1; thread < count; thread++) {
      // A host on which workers keep dying goes on without them.
      if (!this.workers.has(thread) && this.#restarts < 3 * count) this.#start(thread);
    }
  }

  /** Tells the threads about a function that is new in the table. */
  install(entry: LibraryEntry): void {
    if (this.workers.size === 0 || entry.firstThreadOnly) return;
    const { memory, allocator } = this.#host;
    const address = allocator.allocate(letter.words * 4 + entry.bytes.length);
    const at = address >>> 2;
    memory.words[at + letter.next] = 0;
    memory.words[at + letter.slot] = entry.slot;
    memory.words[at + letter.byteLength] = entry.bytes.length;
    memory.words[at + letter.number] = ++this.#letters;
    memory.bytes.set(entry.bytes, address + letter.words * 4);
    const last = this.#sent[this.#sent.length - 1];
    Atomics.store(memory.words, (last.address >>> 2) + letter.next, address | 0);
    this.#sent.push({ number: this.#letters, address });
    this.#changeEpoch();
    this.#freeRead();
  }

  /** Before a run: tells the threads if the memory has grown. */
  announceGrowth(): void {
    if (this.#growths === this.#host.memory.growths) return;
    this.#growths = this.#host.memory.growths;
    this.#changeEpoch();
  }

  /**
   * Called while the first thread waits.
   *
   * @throws BackendError if nothing has moved for too long.
   */
  checkProgress(): void {
    const sign = this.#host.memory.words[control.sequence >>> 2] + this.chunksRun;
    const now = performance.now();
    // A process that was stopped for a while has not waited all that time.
    this.#waited += Math.min(now - this.#lastCheck, 200);
    this.#lastCheck = now;
    if (sign !== this.#lastSign) {
      this.#lastSign = sign;
      this.#waited = 0;
    } else if (this.#waited > this.patience) {
      throw unfinished(`no answer from one of ${this.workers.size} for ${this.patience} ms`);
    }
  }

  /** How many chunks the other threads have run so far. */
  get chunksRun(): number {
    let sum = 0;
    for (let thread = 1; thread < control.maxThreads; thread++) {
      const word = control.threadWord(thread, threadWords.chunks);
      sum += Atomics.load(this.#host.memory.words, word);
    }
    return sum;
  }

  /** Ends all threads. */
  stop(): void {
    for (const worker of this.workers.values()) worker.terminate();
    this.workers.clear();
    for (const { address } of this.#sent) this.#host.allocator.free(address);
    this.#sent = [];
  }

  #start(thread: number): void {
    const { memory, allocator, core } = this.#host;
    if (this.#sent.length === 0) {
      const address = allocator.allocate(letter.words * 4);
      memory.words[(address >>> 2) + letter.next] = 0;
      this.#sent.push({ number: this.#letters, address });
    }
    const modules: [number, WebAssembly.Module][] = [];
    for (const entry of this.#host.loaded()) {
      if (!entry.firstThreadOnly) modules.push([entry.slot, entry.module]);
    }
    const last = this.#sent[this.#sent.length - 1];
    Atomics.store(memory.words, this.#acknowledged(thread), last.number);
    try {
      const worker = startWorker(
        {
          core,
          memory: memory.memory,
          thread,
          modules,
          letter: last.address,
          epoch: Atomics.load(memory.words, control.epoch >>> 2),
        },
        () => {
          if (this.workers.get(thread) !== worker) return;
          this.workers.delete(thread);
          this.#restarts++;
        },
      );
      this.workers.set(thread, worker);
    } catch {
      // No workers here: the first thread does everything.
      this.#restarts = Infinity;
    }
  }

  #acknowledged(thread: number): number {
    return control.threadWord(thread, threadWords.acknowledged);
  }

  #changeEpoch(): void {
    Atomics.add(this.#host.memory.words, control.epoch >>> 2, 1);
  }

  /** Frees the letters that all threads have read, apart from the last one, which the next will hang on. */
  #freeRead(): void {
    let read = this.#letters;
    for (const thread of this.workers.keys()) {
      read = Math.min(read, Atomics.load(this.#host.memory.words, this.#acknowledged(thread)));
    }
    let count = 0;
    while (count < this.#sent.length - 1 && this.#sent[count].number < read) {
      this.#host.allocator.free(this.#sent[count++].address);
    }
    if (count > 0) this.#sent.splice(0, count);
  }
}

/** The error for a run that threads did not finish. */
export function unfinished(got: string): BackendError {
  return new BackendError(
    `run: every thread must finish its share, got ${got}. What the run was to compute is lost; later runs use one thread.`,
  );
}
