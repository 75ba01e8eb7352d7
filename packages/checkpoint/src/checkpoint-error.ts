import { GradloomError } from "@gradloom/tensor";

/** A file, or the bytes of one, are not what they should be, or cannot be read or written. */
export class CheckpointError extends GradloomError {
  override readonly name = "CheckpointError";
  /** The file, if there is one. */
  readonly path: string | undefined;

  constructor(message: string, details: { op?: string; path?: string; cause?: unknown } = {}) {
    super(message, details.op === undefined ? {} : { op: details.op });
    this.path = details.path;
    if (details.cause !== undefined) this.cause = details.cause;
  }
}

/** What is being read, to say so when something is wrong with it. */
export interface Context {
  /** The function that was called. */
  readonly op: string;
  /** The file, if it is one. */
  readonly path?: string;
}

/** `<operation>: <what> must <rule>, got <values>`, and which file it is. */
export function malformed({ op, path }: Context, text: string): CheckpointError {
  const where = path === undefined ? "" : ` The file is ${path}.`;
  return new CheckpointError(`${op}: ${text}.${where}`, path === undefined ? { op } : { op, path });
}

/** A text from a file, short enough for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/**
 * Runs a reader of untrusted bytes. What a mistake of ours, or the host's limits, would throw becomes a
 * clear error, too.
 */
export async function guarded<T>(context: Context, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof GradloomError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const { op, path } = context;
    const text = `${op}: the contents must be readable, got "${message}".`;
    throw new CheckpointError(path === undefined ? text : `${text} The file is ${path}.`, {
      ...(path === undefined ? { op } : { op, path }),
      cause: error,
    });
  }
}
