import { byteSize, type Executable, type Program, type RepeatKernel } from "@gradloom/engine";
import type { WasmMachine } from "./machine.ts";
import { type Repetition, WasmExecutable } from "./program.ts";

/** Kernels of a program that are run together. */
interface Part {
  readonly executable: WasmExecutable | RepeatingExecutable;
  /** The number of its first kernel. */
  readonly first: number;
  /** If it is the body of a loop. */
  readonly loop: RepeatKernel | undefined;
}

/**
 * A compiled program with loops: each body is a program of its own, whose buffers are other ones in each repetition.
 * So it is compiled once, however often it is repeated.
 */
class RepeatingExecutable implements Executable {
  readonly #program: Program;
  readonly #machine: WasmMachine;
  readonly #parts: readonly Part[];

  constructor(program: Program, machine: WasmMachine) {
    this.#program = program;
    this.#machine = machine;
    this.#parts = partsOf(program, machine);
  }

  run(
    addresses: ArrayLike<number>,
    scalars: ArrayLike<number>,
    onKernel?: (kernel: number, milliseconds: number) => void,
  ): void {
    for (const { executable, first, loop } of this.#parts) {
      if (!loop) {
        executable.run(addresses, scalars, onKernel && ((i, time) => onKernel(first + i, time)));
        continue;
      }
      const start = performance.now();
      this.#repeat(loop, executable, addresses);
      onKernel?.(first, performance.now() - start);
    }
  }

  /** Has all memory that it needs from now on: it moves no more. */
  settle(): void {
    this.#machine.reserveArena(this.#program.arenaBytes, 0, 0);
    for (const { executable } of this.#parts) executable.settle();
  }

  dispose(): void {
    for (const { executable } of this.#parts) executable.dispose();
  }

  #repeat(loop: RepeatKernel, body: Part["executable"], addresses: ArrayLike<number>): void {
    const machine = this.#machine;
    const program = this.#program;
    this.settle();
    const starts = loop.buffers.map((buffer) => {
      const { arenaOffset } = program.buffers[buffer];
      return arenaOffset === undefined ? addresses[buffer] : machine.arena + arenaOffset;
    });
    const { slots, count } = loop;
    const places = new Float64Array(slots.length);
    for (let t = 0; t < count; t++) {
      for (let i = 0; i < slots.length; i++) {
        const { dtype, buffer, offset, step, shift, period, initial } = slots[i];
        places[i] =
          t === 0 && initial !== undefined
            ? starts[initial]
            : starts[buffer] + byteSize[dtype] * (offset + step * ((t + shift) % period));
      }
      body.run(places, [], undefined, t > 0);
    }
  }
}

/** What compiles a program. */
export function compileProgram(
  program: Program,
  machine: WasmMachine,
  loop?: Repetition,
): Part["executable"] {
  const repeats = program.kernels.some(({ kind }) => kind === "repeat");
  return repeats
    ? new RepeatingExecutable(program, machine)
    : new WasmExecutable(program, machine, loop);
}

function partsOf(program: Program, machine: WasmMachine): Part[] {
  const { kernels, barriers } = program;
  const parts: Part[] = [];
  for (let first = 0; first < kernels.length; ) {
    const loop = kernels[first];
    if (loop.kind === "repeat") {
      const buffers = loop.slots.map(({ dtype, length }) => ({
        dtype,
        length,
        arenaOffset: undefined,
      }));
      const body = {
        kernels: loop.kernels,
        barriers: loop.barriers,
        buffers,
        scalars: [],
        arenaBytes: 0,
      };
      const still = new Set<number>();
      loop.slots.forEach(({ buffer, period, initial }, i) => {
        if (period === 1 && initial === undefined && !loop.writes.includes(buffer)) still.add(i);
      });
      const executable = compileProgram(body, machine, { count: loop.count, still });
      parts.push({ executable, first, loop });
      first += 1;
      continue;
    }
    const next = kernels.findIndex(({ kind }, i) => i > first && kind === "repeat");
    const end = next < 0 ? kernels.length : next;
    const straight = {
      ...program,
      kernels: kernels.slice(first, end),
      barriers: barriers.slice(first, end),
    };
    parts.push({ executable: new WasmExecutable(straight, machine), first, loop: undefined });
    first = end;
  }
  return parts;
}
