import { byteSize } from "./dtype.ts";
import { type Access, type Kernel, stagesOf } from "./kernel.ts";
import { positionOf, remember } from "./remember.ts";
import { sameShape } from "./shape.ts";
import { blockBytes, Ranges, Space } from "./space.ts";

/** A buffer to be placed in the arena: its size, and what kernels do with it. */
export interface Temporary {
  readonly byteLength: number;
  /** The first kernel that writes it, and the last that touches it. */
  readonly first: number;
  readonly last: number;
}

/** Offsets in the arena for a program's temporaries, by buffer number. */
export interface Layout {
  readonly offsets: ReadonlyMap<number, number>;
  readonly arenaBytes: number;
}

/**
 * Gives each temporary a place in the arena that is its own from the first kernel that writes it to the
 * last that reads it. A kernel that reads a temporary for the last time, element by element where it
 * writes another, may write that one in its place.
 *
 * @param reuse - `false`: no two temporaries share memory.
 */
export function layOut(
  kernels: readonly Kernel[],
  temporaries: ReadonlyMap<number, Temporary>,
  reuse: boolean,
): Layout {
  const arena = new Space();
  const offsets = new Map<number, number>();
  const starting = new Map<number, number[]>();
  const ending = new Map<number, number[]>();
  for (const [buffer, { first, last }] of temporaries) {
    remember(starting, first, (): number[] => []).push(buffer);
    remember(ending, last, (): number[] => []).push(buffer);
  }
  for (let k = 0; k < kernels.length; k++) {
    const replaced = new Set<number>();
    for (const buffer of starting.get(k) ?? []) {
      const { byteLength } = temporaries.get(buffer)!;
      const old = reuse
        ? (ending.get(k) ?? []).find(
            (other) =>
              other !== buffer &&
              !replaced.has(other) &&
              offsets.has(other) &&
              temporaries.get(other)!.first < k &&
              temporaries.get(other)!.byteLength === byteLength &&
              canReplace(kernels[k], other, buffer),
          )
        : undefined;
      if (old === undefined) offsets.set(buffer, arena.take(blockBytes(byteLength)));
      else {
        replaced.add(old);
        offsets.set(buffer, offsets.get(old)!);
      }
    }
    if (!reuse) continue;
    for (const buffer of ending.get(k) ?? []) {
      if (replaced.has(buffer)) continue;
      arena.give(offsets.get(buffer)!, blockBytes(temporaries.get(buffer)!.byteLength));
    }
  }
  return { offsets, arenaBytes: arena.size };
}

/** Whether a kernel reads each element of `old` only just before it writes the same one of `fresh`. */
function canReplace(kernel: Kernel, old: number, fresh: number): boolean {
  if (kernel.kind !== "loop") return false;
  const { stages, buffers } = kernel;
  const written = stages.flatMap(({ stores, code }, stage) =>
    stores
      .filter(({ access }) => buffers[access.buffer] === fresh)
      .map(({ access, value }) => ({ access, stage, size: byteSize[code[value].dtype] })),
  );
  if (written.length !== 1) return false;
  const [{ access, stage, size }] = written;
  return stages.every((other, at) =>
    other.code.every((i) => {
      if (i.op !== "load" || buffers[i.access.buffer] !== old) return true;
      if (i.index !== undefined) return false;
      return at <= stage && byteSize[i.dtype] === size && sameAccess(i.access, access);
    }),
  );
}

/** Whether two accesses name the same element at each point of the loops. */
export function sameAccess(a: Access, b: Access): boolean {
  return a.offset === b.offset && sameShape(a.strides, b.strides);
}

/** The buffers that a kernel reads and writes, by the program's numbers, each once. */
export interface Touched {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

/** What a kernel touches, whichever of its iterations are left out. */
export function touched(kernel: Kernel): Touched {
  const { buffers } = kernel;
  const reads: number[] = [];
  const writes: number[] = [];
  const add = (list: number[], position: number) => {
    // Behind the buffers are rows of a thread's own.
    if (position < buffers.length) positionOf(list, buffers[position]);
  };
  if (kernel.kind === "matmul") {
    add(reads, kernel.a.buffer);
    add(reads, kernel.b.buffer);
    if (kernel.groups) add(reads, kernel.groups.bounds);
  }
  if (kernel.kind === "repeat") {
    for (const position of kernel.writes) add(writes, position);
    for (const buffer of buffers) if (!writes.includes(buffer)) positionOf(reads, buffer);
  }
  if (kernel.kind === "sort") add(reads, kernel.source.buffer);
  if (kernel.kind === "sort" || kernel.kind === "scatter") add(writes, kernel.target.buffer);
  for (const { code, stores } of stagesOf(kernel)) {
    for (const i of code) if (i.op === "load") add(reads, i.access.buffer);
    for (const { access } of stores) add(writes, access.buffer);
  }
  return { reads, writes };
}

/**
 * Which kernels must wait for all before them: those that touch what one since the last wait writes, or
 * write what one reads.
 *
 * @param range - The bytes that a buffer occupies.
 */
export function findBarriers(
  kernels: readonly Touched[],
  range: (buffer: number) => readonly [start: number, end: number],
): boolean[] {
  let reads = new Ranges();
  let writes = new Ranges();
  return kernels.map((mine) => {
    const read = mine.reads.map(range);
    const written = mine.writes.map(range);
    const wait =
      [...read, ...written].some((part) => writes.meet(...part)) ||
      written.some((part) => reads.meet(...part));
    if (wait) {
      reads = new Ranges();
      writes = new Ranges();
    }
    for (const part of read) reads.add(...part);
    for (const part of written) writes.add(...part);
    return wait;
  });
}
