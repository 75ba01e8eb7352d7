import { GradloomError } from "@gradloom/tensor";

/** Where in the data something is wrong. */
export interface DataErrorDetails {
  readonly op?: string;
  readonly path?: string;
  readonly line?: number;
  readonly item?: number;
  readonly cause?: unknown;
}

/** An item could not be made, or a file is not what it should be. What went wrong below is its `cause`. */
export class DataError extends GradloomError {
  override readonly name = "DataError";
  /** The file, if it is about one. */
  readonly path: string | undefined;
  /** The line in the file, from 1. */
  readonly line: number | undefined;
  /** The index of the item in its dataset. */
  readonly item: number | undefined;

  constructor(message: string, details: DataErrorDetails = {}) {
    super(message, details.op === undefined ? {} : { op: details.op });
    this.path = details.path;
    this.line = details.line;
    this.item = details.item;
    if (details.cause !== undefined) this.cause = details.cause;
  }
}
