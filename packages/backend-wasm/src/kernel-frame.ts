import type { LaneAddress } from "./lanes.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** What becomes of each point of a kernel that does not store values where its loops are. */
export interface Sink {
  /** Of a scatter: the instruction that says how many times `stride` elements behind the first the stored one is. */
  readonly index?: { readonly value: number; readonly stride: number };
  /** Of a scatter: pushes whether an index, the first lane's of a value, is one to store at. */
  isWanted?(index: Value, lane: number): void;
  /** Written before and behind each row. */
  startRow?(): void;
  endRow?(): void;
  /** Writes the first `width` lanes of a point: `at` is where the first store goes. */
  write(at: LaneAddress, width: number, read: (instruction: number) => Value): void;
}

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
  readonly firstScratch: number;
  /** A local with the address of a buffer. */
  address(buffer: number): number;
  /** Numbers that the code does not know, see `tellNumbers`. */
  readonly told: readonly number[];
  /** Pushes a number that it may not know, times one that it knows. */
  push(number: number, unit?: number): void;
  /** Byte offset of a scalar in the argument block. */
  scalarOffset(scalar: number): number;
  /** Takes the points instead of the stores, of which there is one then. */
  sink?: Sink | undefined;
  /** For the epilogue of a contraction: a local with the address of the product of this row's start. */
  readonly product: number;
}
