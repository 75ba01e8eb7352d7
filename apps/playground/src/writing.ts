import { PlaygroundError } from "./errors.ts";

/** Turns what the file system says into an error that names the flag. */
export async function writing<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new PlaygroundError(`Cannot write: ${error.message}. Choose another folder with --out.`);
  }
}
