/** Address of the control block: not 0, which stands for no address. */
export const controlAddress = 1024;

/** Words by which all threads meet, in bytes from the start of the control block, in cache lines of their own. */
export const control = {
  /** Counts the groups of steps that were offered to all threads, by 256. */
  sequence: 0,
  /** Whether the first thread sleeps, or is about to; it sleeps on `wake`. */
  waiting: 64,
  wake: 128,
  /** Counts what threads must take notice of outside of WebAssembly: new modules, a grown memory. */
  epoch: 192,
  /** Not 0 once a thread has failed. */
  failed: 196,
  /** Not 0 once an index was out of range: then the first such index, the size, and the number of the operation's name. */
  fault: 200,
  faultIndex: 204,
  faultSize: 208,
  faultName: 212,
  /** Then the words of each thread. */
  threads: 256,
} as const;

/** Words of a thread. Those in the first line are written by the first thread, the others by itself. */
export const threadWords = {
  /** Which of its chunks comes next: `sequence + chunk`. The thread sleeps on it. */
  ticket: 0,
  /** Two descriptions of a group, see {@link offer}: for odd and even numbers. */
  offers: 16,
  /** How many chunks it has run so far. */
  chunks: 64,
  /** Whether it sleeps, or is about to. */
  asleep: 68,
  /** The number of the last letter that it has read. */
  acknowledged: 72,
} as const;

/** A group that is offered: where its first step is, how many chunks, for how many threads. */
export const offer = { step: 0, chunks: 4, threads: 8 } as const;

/** Bytes of the words of a thread, as a power of two. */
export const threadShift = 7;
/** The most threads there can be. */
export const maxThreads = 64;
/** Bytes of the control block. */
export const controlBytes: number = control.threads + (maxThreads << threadShift);
/** The most chunks of a group: they have to fit into a ticket. */
export const maxChunks = 255;

/** Where a word of a thread is, as a position in the memory's words. */
export function threadWord(
  controlAddress: number,
  thread: number,
  word: keyof typeof threadWords,
): number {
  return (controlAddress + control.threads + (thread << threadShift) + threadWords[word]) >>> 2;
}
