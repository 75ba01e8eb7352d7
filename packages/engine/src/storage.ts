import { byteSize, type DType, type TypedArray } from "./dtype.ts";

/**
 * Where the bytes of a box are: in an array on the JavaScript heap, resident in the backend's memory, or both; or nowhere,
 * for a state that has only been recorded. It does not know its box, so that who holds it does not keep that alive.
 */
export class Storage {
  readonly dtype: DType;
  readonly length: number;
  /** The bytes on the heap, if they are there and current. */
  host: TypedArray | undefined;
  /** Where the bytes are in the backend's memory, if they are there. They are current. */
  address: number | undefined = undefined;
  /** Where it is among those that are resident. */
  position: number = -1;
  /** When a plan last used it: what was not used for longest is paged out first. */
  lastUse: number = 0;
  /** Whether it was paged out before. */
  isPagedOut: boolean = false;

  constructor(dtype: DType, length: number, host: TypedArray | undefined) {
    this.dtype = dtype;
    this.length = length;
    this.host = host;
  }

  get bytes(): number {
    return this.length * byteSize[this.dtype];
  }
}
