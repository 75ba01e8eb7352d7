/**
 * What a kernel function finds at the address in its first argument: the address of each of the kernel's
 * buffers, the address of this thread's own memory for each of its scratch rows, and its scalars, each
 * repeated in all lanes of a vector (`bool` as 0 or -1 in four lanes of int32).
 */
export interface ArgumentLayout {
  /** Byte offset of the address of `kernel.buffers[i]`, or of scratch rows behind those. */
  bufferOffset(i: number): number;
  scratchOffset(i: number): number;
  /** Byte offset of the 16 bytes of a scalar, aligned to 16 if the block is. Behind the last one the block ends. */
  scalarOffset(i: number): number;
}

/** Where a kernel's arguments are, in bytes from the start of its argument block. */
export function argumentLayout(numBuffers: number, numScratch = 0): ArgumentLayout {
  const scalars = Math.ceil((numBuffers + numScratch) / 4) * 16;
  return {
    bufferOffset: (i) => 4 * i,
    scratchOffset: (i) => 4 * (numBuffers + i),
    scalarOffset: (i) => scalars + 16 * i,
  };
}
