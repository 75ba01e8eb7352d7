/**
 * What a kernel function finds at the address in its first argument: words, then its scalars, each repeated in all lanes of a
 * vector (`bool` as 0 or -1 in four lanes of int32). The words are the address of each of the kernel's buffers, the address of this
 * thread's own memory for each of its scratch rows, and what the code is told (`tellNumbers`).
 *
 * @returns Where a scalar is, in bytes: a multiple of 16. Behind the last one the block ends.
 */
export function scalarOffset(words: number, scalar: number): number {
  return (Math.ceil(words / 4) + scalar) * 16;
}
