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

/** Bytes that belong to something, in any number of ranges. */
export class Ranges {
  /** In order: where a range starts, where it ends, where the next one starts, and so on. */
  readonly edges: number[] = [];

  /** The position of the first edge at a place or behind it. */
  #from(place: number): number {
    let [low, high] = [0, this.edges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.edges[middle] < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether some of these bytes belong to it. */
  meet(start: number, end: number): boolean {
    const next = this.#from(start + 1);
    return next % 2 === 1 || this.edges[next] < end;
  }

  add(start: number, end: number): void {
    const [from, to] = [this.#from(start), this.#from(end + 1)];
    // Between two ranges, not inside of one, a new edge is needed.
    const edges = [...(from % 2 ? [] : [start]), ...(to % 2 ? [] : [end])];
    this.edges.splice(from, to - from, ...edges);
  }
}

/** Memory that blocks are taken from and given back to, as if it had no end: which parts of it are free. */
export class Space {
  /** Where what has been taken so far ends. */
  size: number = 0;
  readonly #free = new Ranges();

  /** The place of a block: in the smallest free part that is large enough, else at the end. */
  take(length: number): number {
    const { edges } = this.#free;
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < edges.length; i += 2) {
      const size = edges[i + 1] - edges[i];
      if (size >= length && size < least) [best, least] = [i, size];
    }
    if (best >= 0) {
      const offset = edges[best];
      if (least === length) edges.splice(best, 2);
      else edges[best] += length;
      return offset;
    }
    // What is free at the end grows.
    const offset = edges.at(-1) === this.size ? edges.splice(-2)[0] : this.size;
    this.size = offset + length;
    return offset;
  }

  /** Takes a block back. */
  give(offset: number, length: number): void {
    this.#free.add(offset, offset + length);
  }
}
