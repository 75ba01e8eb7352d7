/** Blocks start and end at multiples of this: a cache line. */
const alignment = 64;
const largeBlock = 16384;
const pageBytes = 4096;

/** To whole cache lines. */
export function wholeLines(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/**
 * What a block of memory takes: whole cache lines. Large sizes that are about a multiple of a page get some more: a kernel often
 * reads several of one size in step (a parameter, its moments, its gradient), and at equal places in their pages these would
 * compete for the same places in the caches.
 */
export function blockBytes(byteLength: number): number {
  const bytes = Math.max(wholeLines(byteLength), alignment);
  return bytes >= largeBlock && bytes % pageBytes < 1024 ? bytes + 17 * alignment : bytes;
}

/** Memory that blocks are taken from and given back to, as if it had no end: which parts of it are free. */
export class Space {
  /** Where what has been taken so far ends. */
  size: number = 0;
  /** By place; neighbours are one. */
  readonly #free: { offset: number; length: number }[] = [];

  /** The place of a block: in the smallest free part that is large enough, else at the end. */
  take(length: number): number {
    const free = this.#free;
    let best = -1;
    for (let i = 0; i < free.length; i++) {
      if (free[i].length >= length && (best < 0 || free[i].length < free[best].length)) best = i;
    }
    if (best >= 0) {
      const part = free[best];
      const { offset } = part;
      part.offset += length;
      part.length -= length;
      if (part.length === 0) free.splice(best, 1);
      return offset;
    }
    const last = free[free.length - 1];
    const isOpen = last !== undefined && last.offset + last.length === this.size;
    const offset = isOpen ? last.offset : this.size;
    if (isOpen) free.pop();
    this.size = offset + length;
    return offset;
  }

  /** Takes a block back. */
  give(offset: number, length: number): void {
    const free = this.#free;
    let at = free.length;
    while (at > 0 && free[at - 1].offset > offset) at--;
    free.splice(at, 0, { offset, length });
    for (const i of [at, at - 1]) {
      const [part, behind] = [free[i], free[i + 1]];
      if (part === undefined || part.offset + part.length !== behind?.offset) continue;
      part.length += behind.length;
      free.splice(i + 1, 1);
    }
  }
}
