import { byteSize, type DType, type LoopKernel, type TypedArray } from "@gradloom/engine";
import { scalarOffset } from "../src/argument-block.ts";
import { hostMath } from "../src/host-math.ts";
import { planLoops } from "../src/loop-kernel.ts";

type KernelFunction = (args: number, begin: number, end: number) => void;

/** A scalar of a kernel. */
export interface ScalarArgument {
  readonly dtype: DType;
  readonly value: number;
}

/** A kernel that is compiled, with its buffers in a memory of its own. */
export interface RunningKernel {
  readonly total: number;
  /** Runs a part of the outer loops, all by default. */
  run(begin?: number, end?: number): void;
  /** What a buffer holds now. */
  read<T extends TypedArray>(buffer: number): T;
}

/** Compiles a kernel on its own and gives it copies of these arrays as its buffers. */
export function prepareKernel(
  kernel: LoopKernel,
  buffers: readonly TypedArray[],
  scalars: readonly ScalarArgument[] = [],
  relaxedSimd = false,
): RunningKernel {
  const { write, told, needs } = planLoops(kernel);
  const numWords = buffers.length + needs.scratchBytes.length + told.length;
  let end = 64 + scalarOffset(numWords, scalars.length);
  const take = (byteLength: number): number => {
    const address = Math.ceil(end / 64) * 64;
    end = address + byteLength;
    return address;
  };
  const addresses = buffers.map((buffer) => take(buffer.byteLength));
  const rows = needs.scratchBytes.map(take);
  const initial = Math.ceil((end + 64) / 65536);
  const memory = new WebAssembly.Memory({ initial, maximum: 65536 });
  const view = new DataView(memory.buffer);
  for (const [i, address] of addresses.entries()) {
    const { buffer, byteOffset, byteLength } = buffers[i];
    new Uint8Array(memory.buffer, address).set(new Uint8Array(buffer, byteOffset, byteLength));
  }
  for (const [i, word] of [...addresses, ...rows, ...told].entries()) {
    view.setInt32(64 + 4 * i, word, true);
  }
  for (const [i, { dtype, value }] of scalars.entries()) {
    for (let byte = 0; byte < 16; byte += byteSize[dtype] === 8 ? 8 : 4) {
      const at = 64 + scalarOffset(numWords, i) + byte;
      if (dtype === "float32") view.setFloat32(at, value, true);
      else if (dtype === "float64") view.setFloat64(at, value, true);
      else view.setInt32(at, dtype === "bool" ? -value : value, true);
    }
  }
  const binary = write({ relaxedSimd, wideSimd: false, sharedMemory: false });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), {
    e: { m: memory },
    h: hostMath,
  });
  const { k } = instance.exports as { k: KernelFunction };
  const total = kernel.outer.reduce((product, size) => product * size, 1);
  return {
    total,
    run: (begin = 0, last = total) => k(64, begin, last),
    read: <T extends TypedArray>(i: number): T => {
      const { byteLength } = buffers[i];
      const Type = buffers[i].constructor as new (bytes: ArrayBuffer) => T;
      const bytes = memory.buffer.slice(addresses[i], addresses[i] + byteLength);
      return new Type(bytes);
    },
  };
}
