import { ArgumentError, arange, checkOptions, embedding, type Tensor } from "@gradloom/tensor";
import { checkSize } from "./check.ts";
import { normal } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /**
   * An index that stands for nothing: its vector starts as 0 and never gets a gradient. Counted from the end if
   * negative. Default: none.
   */
  readonly paddingIdx?: number | undefined;
}

/**
 * A vector for each of a number of things, words for example: `y = weight[ids]`.
 *
 * - Shape: `ids [...]` (int32 or uint8) `-> [..., embeddingDim]`
 * - Parameters: `weight [numEmbeddings, embeddingDim]`
 * - Init: normal with mean 0 and variance 1; the vector of `paddingIdx` is 0
 * @throws ArgumentError if a size is not a positive integer, or `paddingIdx` is out of range. DTypeError if the ids are not
 *   of integers. IndexError if one is out of range: at once where the ids are at hand, else when a result is computed.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | undefined;
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super();
    checkOptions("Embedding", options, { paddingIdx: true });
    checkSize("Embedding", "numEmbeddings", numEmbeddings);
    checkSize("Embedding", "embeddingDim", embeddingDim);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    const paddingIdx = options.paddingIdx ?? undefined;
    if (paddingIdx !== undefined && !isRow(paddingIdx, numEmbeddings)) {
      throw new ArgumentError(
        `Embedding: paddingIdx must be an integer in [${-numEmbeddings}, ${numEmbeddings - 1}], got ${paddingIdx}.`,
        { op: "Embedding" },
      );
    }
    this.paddingIdx = paddingIdx;
    const vectors = normal([numEmbeddings, embeddingDim]);
    this.weight = new Parameter(
      paddingIdx === undefined ? vectors : withoutRow(vectors, paddingIdx),
    );
  }

  forward(ids: Tensor): Tensor {
    return embedding(ids, this.weight, { paddingIdx: this.paddingIdx });
  }

  override describe(): string {
    const { numEmbeddings, embeddingDim, paddingIdx } = this;
    const padding = paddingIdx === undefined ? "" : `, paddingIdx=${paddingIdx}`;
    return `${numEmbeddings}, ${embeddingDim}${padding}`;
  }
}

function isRow(index: number, rows: number): boolean {
  return Number.isInteger(index) && index >= -rows && index < rows;
}

/** A matrix with zeros in one row. */
function withoutRow(matrix: Tensor, row: number): Tensor {
  const [rows] = matrix.shape;
  const isThis = arange(rows).eq(row < 0 ? row + rows : row);
  return matrix.maskedFill(isThis.unsqueeze(1), 0);
}
