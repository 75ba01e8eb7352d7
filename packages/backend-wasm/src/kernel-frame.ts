import type { VectorWriter } from "./vector-writer.ts";

/** What the stages of a kernel function have in common. */
export interface KernelFrame {
  readonly w: VectorWriter;
  /** Sizes of the outer loops. */
  readonly outer: readonly number[];
  /**
   * What the lanes of a vector are: neighbours along the last outer loop; or else along the innermost
   * loop of each stage, with one point of the outer loops at a time.
   */
  readonly lanesAcross: boolean;
  /** Lanes of a full vector: 4, or 1 if there is float64 in the kernel. */
  readonly lanes: number;
  /** Locals with the current position in each outer loop. */
  readonly digits: readonly number[];
  /** Buffers that the kernel writes: what is loaded from them changes from row to row. */
  readonly written: ReadonlySet<number>;
  /** Buffers from this one on are scratch rows: with lanes across rows, each lane has its own. */
  readonly firstScratch?: number;
  /** A local with the address of a buffer. */
  address(buffer: number): number;
  /** Byte offset of a scalar in the argument block. */
  scalarOffset(scalar: number): number;
  /** For the epilogue of a contraction: a local with the address of the product of this row's start. */
  readonly product: number | undefined;
}
