import {
  type Backend,
  createArray,
  type DType,
  type Executable,
  type Program,
  type TypedArray,
} from "../src/index.ts";

/** A backend that keeps what it is given and computes nothing: to look at programs. */
export class IdleBackend implements Backend {
  readonly name = "idle";
  readonly numThreads = 1;
  readonly programs: Program[] = [];
  /** Scalars of each run. */
  readonly runs: number[][] = [];
  /** Live allocations: bytes by address. */
  readonly live: Map<number, number> = new Map();
  disposed = 0;
  private next = 64;

  setNumThreads(): void {}

  allocate(byteLength: number): number {
    const address = this.next;
    this.next += Math.ceil(byteLength / 64 + 1) * 64;
    this.live.set(address, byteLength);
    return address;
  }

  free(address: number): void {
    if (!this.live.delete(address)) throw new Error(`free: ${address} is not allocated`);
  }

  write(address: number): void {
    if (!this.live.has(address)) throw new Error(`write: ${address} is not allocated`);
  }

  async read(address: number, dtype: DType, length: number): Promise<TypedArray> {
    return this.readSync(address, dtype, length);
  }

  readSync(address: number, dtype: DType, length: number): TypedArray {
    if (!this.live.has(address)) throw new Error(`read: ${address} is not allocated`);
    return createArray(dtype, length);
  }

  compile(program: Program): Executable {
    this.programs.push(program);
    return {
      run: (_, scalars) => {
        this.runs.push(Array.from(scalars));
      },
      dispose: () => {
        this.disposed += 1;
      },
    };
  }

  get compiledKernels(): number {
    return this.programs.reduce((sum, { kernels }) => sum + kernels.length, 0);
  }

  get memoryBytes(): number {
    return [...this.live.values()].reduce((a, b) => a + b, 0);
  }
}
