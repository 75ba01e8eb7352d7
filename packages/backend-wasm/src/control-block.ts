// Where the words are by which all threads meet, in cache lines of their own. No address is 0, which stands for none.

/** Counts the groups of steps that were offered to all threads, by 256. */
export const sequence = 1024;
/** Whether the first thread sleeps, or is about to; it sleeps on `wake`. */
export const waiting = 1088;
export const wake = 1152;
/** Counts what threads must take notice of outside of WebAssembly: new modules, a grown memory. */
export const epoch = 1216;
/** Not 0 once a thread has failed. */
export const failed = 1220;
/** Not 0 once an index was out of range: then the first such index, the size, and the number of the operation's name. */
export const fault = 1224;
export const faultIndex = 1228;
export const faultSize = 1232;
export const faultName = 1236;
/** Then the words of each thread. */
export const threads = 1280;

/** Bytes of the words of a thread, as a power of two. */
export const threadShift = 7;
/** The most threads there can be. */
export const maxThreads = 64;
/** Behind all these words. */
export const controlEnd: number = threads + (maxThreads << threadShift);
/** The most chunks of a group: they have to fit into a ticket. */
export const maxChunks = 255;

/** Where a word of a thread is, as a position in the memory's words. */
export function threadWord(thread: number, word: number): number {
  return (threads + (thread << threadShift) + word) >>> 2;
}
