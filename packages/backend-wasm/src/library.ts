import { type Instruction, remember } from "@gradloom/engine";
import { hostMath } from "./host-math.ts";
import type { Step } from "./steps.ts";

/** A compiled function. */
export interface LibraryEntry {
  readonly key: string;
  readonly module: WebAssembly.Module;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether it calls functions of ours in JavaScript: those exist on the first thread only. */
  readonly firstThreadOnly: boolean;
  /** Position in the table of functions, or -1: not in the table any more. */
  slot: number;
}

/**
 * Kernel functions by structure, for as long as there is room; what was not used for longest is dropped.
 * Compiled code and its place in the table of functions are both kept in here and given up together, so that ever
 * new shapes cost compiles, not memory.
 */
export class KernelLibrary {
  /** How many modules were compiled so far. */
  compiled: number = 0;
  /** Counts the functions that were dropped: programs must look whether theirs are still there. */
  dropped: number = 0;
  readonly #steps = new Map<string, readonly Step[]>();
  readonly #entries = new Map<string, LibraryEntry>();
  readonly #freeSlots: number[] = [];
  #nextSlot: number;
  readonly #capacity: number;
  readonly #install: (entry: LibraryEntry) => void;

  /**
   * @param firstSlot - The first position in the table that is free.
   * @param capacity - How many functions to keep; a program that has more keeps all of its own.
   * @param install - Puts a function into the tables of all threads.
   */
  constructor(firstSlot: number, capacity: number, install: (entry: LibraryEntry) => void) {
    this.#nextSlot = firstSlot;
    this.#capacity = capacity;
    this.#install = install;
  }

  /** The steps of kernels of a structure, made if need be. When there are too many, all are forgotten. */
  stepsOf(key: string, make: () => readonly Step[]): readonly Step[] {
    if (this.#steps.size >= this.#capacity) this.#steps.clear();
    return remember(this.#steps, key, make);
  }

  /** The functions in the table. */
  loaded(): Iterable<LibraryEntry> {
    return this.#entries.values();
  }

  /** The function for a structure, compiled if need be, as the one used last. */
  get(key: string, write: () => Uint8Array<ArrayBuffer>): LibraryEntry {
    const entry = remember(this.#entries, key, () => {
      const bytes = write();
      const module = new WebAssembly.Module(bytes);
      this.compiled++;
      const firstThreadOnly = WebAssembly.Module.imports(module).some(
        ({ module: from, name }) => from === "h" && !isBuiltIn(name),
      );
      return { key, module, bytes, firstThreadOnly, slot: -1 };
    });
    this.touch(entry);
    return entry;
  }

  /** Marks a function as the one used last, and puts it back into the table if it was dropped. */
  touch(entry: LibraryEntry): void {
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    if (entry.slot >= 0) return;
    entry.slot = this.#freeSlots.pop() ?? this.#nextSlot++;
    this.#install(entry);
  }

  /** Drops what is too much, apart from the functions that were used last: a program's own. */
  trim(keep: number): void {
    let excess = this.#entries.size - Math.max(this.#capacity, keep);
    for (const entry of this.#entries.values()) {
      if (excess-- <= 0) return;
      this.#entries.delete(entry.key);
      this.#freeSlots.push(entry.slot);
      entry.slot = -1;
      this.dropped++;
    }
  }
}

/** Whether a host function is one of JavaScript's own, which all threads have. */
function isBuiltIn(name: string): boolean {
  const builtIn: unknown = Reflect.get(Math, name);
  return builtIn !== undefined && Reflect.get(hostMath, name) === builtIn;
}

/**
 * What two things that are made of numbers and names have in common if they are alike.
 *
 * @param stages - Where there are instructions in it: JSON has neither -0 nor what is not finite, but constants may be that.
 */
export function exactKey(
  structure: unknown,
  stages: readonly { readonly code: readonly Instruction[] }[],
): string {
  let key = JSON.stringify(structure);
  for (const { code } of stages) {
    for (const i of code) if (i.op === "constant") key += ` ${i.value},${1 / i.value}`;
  }
  return key;
}
