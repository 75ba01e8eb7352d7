import { type Executable, type Kernel, type Program, wholeLines } from "@gradloom/engine";
import type { WasmMachine } from "./machine.ts";
import { copies, layOutPlan, type PlacedStep, type PlanLayout, writePlan } from "./plan-layout.ts";
import { type StraightKernel, stepsOf, type Word } from "./steps.ts";

/** Where the address of a buffer stands in memory: a word, and what is added to the address. */
interface Patch {
  readonly word: number;
  readonly offset: number;
}

/** What is known of a program that is run in a loop. */
export interface Repetition {
  readonly count: number;
  /** Buffers that are the same in all repetitions. */
  readonly still: ReadonlySet<number>;
}

/**
 * A compiled program: a plan and argument blocks in memory. A run writes the addresses and scalars that have
 * changed into them, and calls the driver once. What else they refer to (the arena, the memory of threads,
 * positions in the table of functions) changes rarely; then all of it is written again.
 */
export class WasmExecutable implements Executable {
  readonly #program: Program;
  readonly #machine: WasmMachine;
  readonly #loop: Repetition;
  #steps: PlacedStep[] = [];
  /** All steps; and those that further repetitions of a loop take. */
  #layouts: readonly PlanLayout[] = [];
  /** What the memory was laid out for. */
  #threads = 0;
  #revision = -1;
  #plan = 0;
  /** Bytes of shared memory for what is kept from one repetition to the next. */
  #keptBytes = 0;
  #patches: Patch[][] = [];
  #scalarWords: number[][] = [];
  #addresses: Float64Array;
  #scalars: Float64Array;
  #disposed = false;

  constructor(
    program: Program,
    machine: WasmMachine,
    loop: Repetition = { count: 1, still: new Set() },
  ) {
    this.#program = program;
    this.#machine = machine;
    this.#loop = loop;
    this.#addresses = new Float64Array(program.buffers.length);
    this.#scalars = new Float64Array(program.scalars.length);
    this.#prepare();
  }

  /** Has all memory that it needs from now on: it moves no more. */
  settle(): void {
    const machine = this.#machine;
    if (this.#revision !== machine.revision || this.#threads !== machine.numThreads)
      this.#prepare();
  }

  /** @param isAgain - Whether the repetition before has just been run, so that what it has kept is there. */
  run(
    addresses: ArrayLike<number>,
    scalars: ArrayLike<number>,
    onKernel?: (kernel: number, milliseconds: number) => void,
    isAgain: boolean = false,
  ): void {
    this.settle();
    this.#bind(addresses);
    this.#setScalars(scalars);
    if (onKernel) this.#runStepwise(onKernel);
    else if (this.#plan !== 0) {
      const [whole, rest] = this.#layouts;
      const plan = isAgain ? this.#plan + wholeLines(whole.words * 4) : this.#plan;
      this.#machine.run(plan, (isAgain ? rest : whole).shared);
    }
  }

  /** Gives its memory back. It must not run any more. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#revision = -1;
    if (this.#plan !== 0) this.#machine.allocator.free(this.#plan);
    this.#plan = 0;
  }

  #bind(addresses: ArrayLike<number>): void {
    const { words } = this.#machine.memory;
    const patches = this.#patches;
    const bound = this.#addresses;
    for (let i = 0; i < patches.length; i++) {
      const address = addresses[i];
      if (address === bound[i]) continue;
      const places = patches[i];
      if (places.length === 0) continue;
      bound[i] = address;
      for (let j = 0; j < places.length; j++) words[places[j].word] = address + places[j].offset;
    }
  }

  #setScalars(values: ArrayLike<number>): void {
    const program = this.#program;
    const scalars = this.#scalars;
    for (let i = 0; i < scalars.length; i++) {
      const value = values[i];
      if (value === scalars[i] && (value !== 0 || 1 / value === 1 / scalars[i])) continue;
      scalars[i] = value;
      const places = this.#scalarWords[i];
      for (let j = 0; j < places.length; j++) this.#splat(places[j], program.scalars[i], value);
    }
  }

  /** Writes a scalar into all lanes of a vector. */
  #splat(word: number, dtype: Program["scalars"][number], value: number): void {
    const { words, floats, doubles } = this.#machine.memory;
    if (dtype === "float32") floats.fill(value, word, word + 4);
    else if (dtype === "float64") doubles.fill(value, word / 2, word / 2 + 2);
    else if (dtype === "bool") words.fill(value ? -1 : 0, word, word + 4);
    else words.fill(dtype === "uint8" ? value & 0xff : value, word, word + 4);
  }

  /** Lays everything out again, for the present state of the machine. */
  #prepare(): void {
    const machine = this.#machine;
    const program = this.#program;
    if (this.#threads !== machine.numThreads) {
      this.#threads = machine.numThreads;
      this.#keptBytes = 0;
      const { count, still } = this.#loop;
      this.#steps = program.kernels.flatMap((straight, i) => {
        const kernel = straight as StraightKernel;
        const steps = stepsOf(kernel, {
          features: machine.features,
          library: machine.library,
          threads: this.#threads,
          isStill: kernel.kind === "matmul" && still.has(kernel.buffers[kernel.b.buffer]),
          keep: (bytes) => {
            this.#keptBytes += wholeLines(bytes);
            return this.#keptBytes - wholeLines(bytes);
          },
        });
        return steps.map((step) => ({
          step,
          kernel: i,
          barrier: step.barrier || (step === steps[0] && program.barriers[i]),
          address: 0,
        }));
      });
      const again = count > 1 ? [this.#steps.filter(({ step }) => !step.once)] : [];
      this.#layouts = [this.#steps, ...again].map((steps) =>
        layOutPlan(steps, this.#threads, count),
      );
    }
    let sharedBytes = 0;
    let ownBytes = 0;
    for (const { step } of this.#steps) {
      sharedBytes = Math.max(sharedBytes, step.sharedBytes);
      ownBytes = Math.max(ownBytes, step.ownBytes);
      for (const entry of step.entries) machine.library.touch(entry);
    }
    machine.library.trim(this.#steps.length);
    machine.reserveArena(program.arenaBytes, this.#keptBytes + sharedBytes, ownBytes);
    this.#write();
    this.#revision = machine.revision;
  }

  /** Writes the plan and the argument blocks into new memory. */
  #write(): void {
    const machine = this.#machine;
    const steps = this.#steps;
    const layouts = this.#layouts;
    const threads = this.#threads;
    if (this.#plan !== 0) machine.allocator.free(this.#plan);
    this.#plan = 0;
    const program = this.#program;
    this.#patches = program.buffers.map(() => []);
    this.#scalarWords = program.scalars.map(() => []);
    this.#addresses.fill(-1);
    this.#scalars.fill(Number.NaN);
    if (steps.length === 0) return;
    let bytes = 0;
    for (const { words } of layouts) bytes += wholeLines(words * 4);
    const start = bytes;
    for (const { step } of steps) bytes += wholeLines(step.argumentBytes) * copies(step, threads);
    this.#plan = machine.allocator.allocate(bytes);
    let address = this.#plan + start;
    const { words } = machine.memory;
    for (const placed of steps) {
      const { step, kernel } = placed;
      placed.address = address;
      const of = program.kernels[kernel];
      for (let thread = 0; thread < copies(step, threads); thread++) {
        for (const entry of step.words) {
          const place = (address + entry[0]) / 4;
          const word = entry[1];
          words[place] =
            typeof word === "number" ? word : this.#wordValue(word, of, place, address, thread);
        }
        address += wholeLines(step.argumentBytes);
      }
    }
    let plan = this.#plan;
    for (const layout of layouts) {
      writePlan(words, plan, layout, threads);
      plan += wholeLines(layout.words * 4);
    }
  }

  #wordValue(
    word: Exclude<Word, number>,
    kernel: Kernel,
    place: number,
    address: number,
    thread: number,
  ): number {
    const machine = this.#machine;
    switch (word.kind) {
      case "buffer": {
        const buffer = kernel.buffers[word.buffer];
        const { arenaOffset } = this.#program.buffers[buffer];
        if (arenaOffset !== undefined) return machine.arena + arenaOffset + word.offset;
        this.#patches[buffer].push({ word: place, offset: word.offset });
        return 0;
      }
      case "scalar":
        this.#scalarWords[kernel.scalars[word.scalar]].push(place);
        return 0;
      case "kept":
        return machine.sharedMemory + word.offset;
      case "shared":
        return machine.sharedMemory + this.#keptBytes + word.offset;
      case "own":
        return machine.ownMemory(thread) + word.offset;
      case "self":
        return address + word.offset;
      case "slot":
        return word.entry.slot;
      default:
        return word satisfies never;
    }
  }

  /** Runs the steps of one kernel after the other, each in a plan of its own. */
  #runStepwise(onKernel: (kernel: number, milliseconds: number) => void): void {
    const machine = this.#machine;
    this.#program.kernels.forEach((_, kernel) => {
      const steps = this.#steps.filter((step) => step.kernel === kernel);
      const layout = layOutPlan(steps, this.#threads);
      const plan = machine.allocator.allocate(layout.words * 4);
      writePlan(machine.memory.words, plan, layout, this.#threads);
      const start = performance.now();
      machine.run(plan, layout.shared);
      onKernel(kernel, performance.now() - start);
      machine.allocator.free(plan);
    });
  }
}
