import {
  type Access,
  type Backend,
  byteSize,
  type DType,
  type Instruction,
  type Kernel,
  type LoadInstruction,
  type LoopKernel,
  type MatmulKernel,
  type Program,
  type RepeatKernel,
  type ScatterKernel,
  type SortKernel,
  type Stage,
  type Store,
  type TypedArray,
  viewArray,
} from "@gradloom/engine";

/** A buffer of a test's program and what is in it before the run. */
export interface Content {
  readonly dtype: DType;
  readonly values: readonly number[];
}

export function content(dtype: DType, values: readonly number[]): Content {
  return { dtype, values };
}

/** A buffer to be written. */
export function blank(dtype: DType, length: number): Content {
  return { dtype, values: new Array<number>(length).fill(77) };
}

export function load(
  dtype: DType,
  buffer: number,
  strides: readonly number[],
  offset = 0,
  guards: LoadInstruction["guards"] = [],
): LoadInstruction {
  return { op: "load", dtype, access: { buffer, offset, strides }, guards };
}

export function store(
  value: number,
  buffer: number,
  strides: readonly number[],
  offset = 0,
): Store {
  const access: Access = { buffer, offset, strides };
  return { value, access };
}

/** A stage; what is left out is empty. */
export function stage(parts: Partial<Stage> & { readonly code: readonly Instruction[] }): Stage {
  return { inner: [], stores: [], results: [], ...parts };
}

/** A kernel that is going to touch all buffers and scalars of its program, in their order. */
export type KernelBody =
  | Omit<LoopKernel, "buffers" | "scalars">
  | Omit<MatmulKernel, "buffers" | "scalars">
  | Omit<ScatterKernel, "buffers" | "scalars">
  | Omit<SortKernel, "buffers" | "scalars">
  | Omit<RepeatKernel, "buffers" | "scalars">;

export function loopKernel(
  outer: readonly number[],
  stages: readonly Stage[],
  scratch: LoopKernel["scratch"] = [],
): Omit<LoopKernel, "buffers" | "scalars"> {
  return { kind: "loop", outer, stages, scratch, label: ["test"] };
}

export interface Scalar {
  readonly dtype: DType;
  readonly value: number;
}

/** The program of one kernel over these buffers. */
export function programOf(
  kernel: KernelBody,
  contents: readonly Content[],
  scalars: readonly Scalar[] = [],
): Program {
  const buffers = contents.map((_, i) => i);
  const whole: Kernel = { ...kernel, buffers, scalars: scalars.map((_, i) => i) };
  return {
    kernels: [whole],
    barriers: [true],
    buffers: contents.map(({ dtype, values }) => ({
      dtype,
      length: values.length,
      arenaOffset: undefined,
    })),
    scalars: scalars.map(({ dtype }) => dtype),
    arenaBytes: 0,
  };
}

/** Runs one kernel on a backend and gives the content of all buffers afterwards. */
export function runKernel(
  backend: Backend,
  kernel: KernelBody,
  contents: readonly Content[],
  scalars: readonly Scalar[] = [],
): number[][] {
  const executable = backend.compile(programOf(kernel, contents, scalars));
  const addresses = contents.map(({ dtype, values }) => {
    const address = backend.allocate(values.length * byteSize[dtype]);
    backend.write(address, typed(dtype, values));
    return address;
  });
  executable.run(
    addresses,
    scalars.map(({ value }) => value),
  );
  const results = contents.map(({ dtype, values }, i) =>
    Array.from(backend.readSync?.(addresses[i], dtype, values.length) ?? []),
  );
  for (const address of addresses) backend.free(address);
  return results;
}

function typed(dtype: DType, values: readonly number[]): TypedArray {
  const array = viewArray(
    dtype,
    new ArrayBuffer(values.length * byteSize[dtype]),
    0,
    values.length,
  );
  array.set(values);
  return array;
}
