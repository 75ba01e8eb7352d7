import type { MatmulKernel, MatrixOperand, Program, Window } from "@gradloom/engine";
import type { RandomProgram } from "./kernel-builder.ts";
import { createContent } from "./random-content.ts";

/** Sizes of a convolution over two axes; both axes have the same stride, padding and dilation. */
export interface ConvolutionCase {
  readonly batch: number;
  readonly groups?: number;
  /** Channels of a group. */
  readonly channels: number;
  readonly outChannels: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/** What of a convolution is computed; the gradient of the input has stride 1. */
export type ConvolutionPart = "forward" | "weight" | "input";

/** The product of matrices, one of which has the windows, that a part of a convolution is. All sums are exact. */
export function convolution(shape: ConvolutionCase, part: ConvolutionPart): RandomProgram {
  const { batch, groups = 1, channels, outChannels, size, kernel } = shape;
  const { stride = 1, padding = 0, dilation = 1 } = shape;
  const [height, width] = size;
  const [kh, kw] = kernel;
  const outHeight = Math.floor((height + 2 * padding - dilation * (kh - 1) - 1) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - dilation * (kw - 1) - 1) / stride) + 1;
  const picture = height * width;
  const output = outHeight * outWidth;
  const taps = kh * kw;
  const plain = (
    buffer: number,
    batchStrides: number[],
    rowStride: number,
    columnStride: number,
  ): MatrixOperand => ({ buffer, offset: 0, batchStrides, rowStride, columnStride });
  const windows = (
    buffer: number,
    offset: number,
    batchStrides: number[],
    window: Window,
  ): MatrixOperand => ({ ...plain(buffer, batchStrides, 0, 0), offset, window });
  const group = groups * channels * picture;
  const outGroup = groups * outChannels * output;
  let parts: Pick<MatmulKernel, "batch" | "m" | "n" | "k" | "a" | "b">;
  let target: number[];
  const lengths = [batch * group, groups * outChannels * channels * taps, batch * outGroup];
  if (part === "forward") {
    parts = {
      batch: [batch, groups],
      m: outChannels,
      n: output,
      k: channels * taps,
      a: plain(0, [0, outChannels * channels * taps], channels * taps, 1),
      b: windows(1, -padding * (width + 1), [group, channels * picture], {
        rows: [channels, kh, kw],
        columns: [outHeight, outWidth],
        strides: [picture, dilation * width, dilation, stride * width, stride],
        guards: [
          { offset: -padding, strides: [0, 0, 0, dilation, 0, stride, 0], size: height },
          { offset: -padding, strides: [0, 0, 0, 0, dilation, 0, stride], size: width },
        ],
      }),
    };
    target = [outGroup, outChannels * output, output, 1];
    lengths.splice(0, 3, lengths[1], lengths[0], lengths[2]);
  } else if (part === "weight") {
    parts = {
      batch: [groups],
      m: outChannels,
      n: channels * taps,
      k: batch * output,
      a: windows(0, 0, [outChannels * output], {
        rows: [outChannels],
        columns: [batch, output],
        strides: [output, outGroup, 1],
        guards: [],
      }),
      b: windows(1, -padding * (width + 1), [channels * picture], {
        rows: [batch, outHeight, outWidth],
        columns: [channels, kh, kw],
        strides: [group, stride * width, stride, picture, dilation * width, dilation],
        guards: [
          { offset: -padding, strides: [0, 0, stride, 0, 0, dilation, 0], size: height },
          { offset: -padding, strides: [0, 0, 0, stride, 0, 0, dilation], size: width },
        ],
      }),
    };
    target = [outChannels * channels * taps, channels * taps, 1];
    lengths.splice(0, 3, lengths[2], lengths[0], lengths[1]);
  } else {
    const [top, left] = [dilation * (kh - 1) - padding, dilation * (kw - 1) - padding];
    parts = {
      batch: [batch, groups],
      m: channels,
      n: picture,
      k: outChannels * taps,
      a: windows(0, taps - 1, [0, outChannels * channels * taps], {
        rows: [channels],
        columns: [outChannels, kh, kw],
        strides: [taps, channels * taps, -kw, -1],
        guards: [],
      }),
      b: windows(1, -top * outWidth - left, [outGroup, outChannels * output], {
        rows: [outChannels, kh, kw],
        columns: [height, width],
        strides: [output, dilation * outWidth, dilation, outWidth, 1],
        guards: [
          { offset: -top, strides: [0, 0, 0, dilation, 0, 1, 0], size: outHeight },
          { offset: -left, strides: [0, 0, 0, 0, dilation, 0, 1], size: outWidth },
        ],
      }),
    };
    target = [group, channels * picture, picture, 1];
    lengths.splice(0, 3, lengths[1], lengths[2], lengths[0]);
  }
  const store = { value: 0, access: { buffer: 2, offset: 0, strides: target } };
  const code = [{ op: "product", dtype: "float32" } as const];
  const program: Program = {
    kernels: [
      {
        kind: "matmul",
        dtype: "float32",
        ...parts,
        buffers: [0, 1, 2],
        scalars: [],
        label: ["convolution"],
        epilogue: { inner: [], code, stores: [store], results: [] },
      },
    ],
    barriers: [false],
    buffers: lengths.map((length) => ({ dtype: "float32", length, arenaOffset: undefined })),
    scalars: [],
    arenaBytes: 0,
  };
  const contents = lengths.map((length, i) =>
    createContent("float32", length, { seed: i + 1, kind: i === 2 ? "zero" : "coarse" }, i),
  );
  return { program, contents, scalars: [] };
}
