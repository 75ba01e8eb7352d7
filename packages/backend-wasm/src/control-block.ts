/** Address of the control block: not 0, which stands for no address. */
export const controlAddress = 1024;

// Words by which all threads meet, in bytes from the start of the control block, in cache lines of their own.

/** Counts the groups of steps that were offered to all threads, by 256. */
export const sequence = 0;
/** Whether the first thread sleeps, or is about to; it sleeps on `wake`. */
export const waiting = 64;
export const wake = 128;
/** Counts what threads must take notice of outside of WebAssembly: new modules, a grown memory. */
export const epoch = 192;
/** Not 0 once a thread has failed. */
export const failed = 196;
/** Not 0 once an index was out of range: then the first such index, the size, and the number of the operation's name. */
export const fault = 200;
export const faultIndex = 204;
export const faultSize = 208;
export const faultName = 212;
/** Then the words of each thread. */
export const threads = 256;

/** Bytes of the words of a thread, as a power of two. */
export const threadShift = 7;
/** The most threads there can be. */
export const maxThreads = 64;
/** Bytes of the control block. */
export const controlBytes: number = threads + (maxThreads << threadShift);
/** The most chunks of a group: they have to fit into a ticket. */
export const maxChunks = 255;

/** Where a word of a thread is, as a position in the memory's words. */
export function threadWord(controlAddress: number, thread: number, word: number): number {
  return (controlAddress + threads + (thread << threadShift) + word) >>> 2;
}
