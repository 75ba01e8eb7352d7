import { Buffer, checkSize, Dropout, Module } from "@gradloom/layers";
import {
  ArgumentError,
  arange,
  checkOptions,
  ShapeError,
  stack,
  type Tensor,
  tensor,
} from "@gradloom/tensor";

/** Options of {@link PositionalEncoding}. */
export interface PositionalEncodingOptions {
  /** The longest sequence. Default 5000. */
  readonly maxLen?: number;
  /** With which probability an element of the sum is dropped in training. Default 0. */
  readonly dropout?: number;
}

/**
 * Adds to each position a pattern of its own, `y = dropout(x + PE)`:
 *
 *     PE[t, 2i] = sin(t / 10000^(2i / dModel))    PE[t, 2i + 1] = cos(t / 10000^(2i / dModel))
 *
 * - Shape: `x [..., time, dModel] -> [..., time, dModel]`
 * - Buffer: the table `pe [maxLen, dModel]`, which is not part of the state dict
 * - Paper: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5
 * @throws ShapeError if the last size of `x` is not `dModel`, or there is no time. ArgumentError if the sequence is longer
 * than `maxLen`.
 *
 * @example
 * ```ts
 * const positions = new PositionalEncoding(512, { dropout: 0.1 });
 * const y = positions.forward(x); // x [batch, time, 512]
 * ```
 */
export class PositionalEncoding extends Module {
  readonly dModel: number;
  readonly maxLen: number;
  readonly pe: Buffer;
  readonly dropout: Dropout;

  constructor(dModel: number, options: PositionalEncodingOptions = {}) {
    super();
    checkOptions("PositionalEncoding", options, { maxLen: true, dropout: true });
    const { maxLen = 5000, dropout = 0 } = options;
    checkSize("PositionalEncoding", "dModel", dModel);
    checkSize("PositionalEncoding", "maxLen", maxLen);
    this.dModel = dModel;
    this.maxLen = maxLen;
    this.pe = new Buffer(sinusoids(maxLen, dModel), { persistent: false });
    this.dropout = new Dropout(dropout);
  }

  /**
   * @param start - The position of the first element, as a number or an int32 scalar; another one compiles nothing. Default 0.
   */
  forward(x: Tensor, start?: number | Tensor): Tensor {
    const { dModel, maxLen } = this;
    const op = "PositionalEncoding";
    const [time, features] = x.shape.slice(-2);
    if (x.ndim < 2 || features !== dModel) {
      throw new ShapeError(
        `${op}: x must be [..., time, ${dModel}], got [${x.shape.join(", ")}].`,
        { op, shapes: [x.shape] },
      );
    }
    if ((typeof start === "number" ? start : 0) + time > maxLen) {
      throw new ArgumentError(
        `${op}: positions must be below maxLen = ${maxLen}, got ${time} from ${start ?? 0} on. Make it with a larger maxLen.`,
        { op },
      );
    }
    const rows =
      start === undefined
        ? this.pe.narrow(0, 0, time)
        : this.pe.indexSelect(arange(time).add(start), 0);
    return this.dropout.forward(x.add(rows));
  }

  override describe(): string {
    return `${this.dModel}, maxLen=${this.maxLen}`;
  }
}

/** The table, computed in float64: at large positions the angle needs it. */
function sinusoids(length: number, features: number): Tensor {
  const pairs = Math.ceil(features / 2);
  const frequencies = Float64Array.from(
    { length: pairs },
    (_, i) => 10000 ** ((-2 * i) / features),
  );
  const angles = arange(length, { dtype: "float64" }).unsqueeze(1).mul(tensor(frequencies));
  const both = stack([angles.sin(), angles.cos()], -1).flatten(-2); // [length, 2 · pairs]
  return both.narrow(1, 0, features).to("float32");
}
