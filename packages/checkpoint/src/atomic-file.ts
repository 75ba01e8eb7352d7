import { fileError, type NodeFile, type NodeFiles, nodeFiles, nodeModule } from "./node-files.ts";

/** Where the bytes of a file go, in order or to a place. */
export interface ByteSink {
  /** Writes behind what was written so far. */
  append(bytes: Uint8Array): Promise<void>;
  /** Writes over bytes that are there already. */
  overwrite(offset: number, bytes: Uint8Array): Promise<void>;
}

/** What is used of `node:path`. */
interface NodePath {
  dirname(path: string): string;
  basename(path: string): string;
  join(...parts: string[]): string;
}

let counter = 0;

/**
 * Writes a file so that at any moment, also after a crash or a power failure, the path leads to the old file or to the
 * whole new one: a temporary file next to it, fsync, rename, fsync of the folder.
 *
 * @throws CheckpointError if that fails. Then the old file is as it was, and the temporary one is gone.
 */
export async function writeAtomically(
  op: string,
  path: string,
  write: (sink: ByteSink) => Promise<void>,
): Promise<void> {
  const files = nodeFiles(op);
  // A link stays a link: what it leads to is replaced.
  const target = await files.realpath(path).catch(() => path);
  const { dirname, basename, join } = nodeModule<NodePath>("node:path")!;
  const folder = dirname(target);
  const prefix = `.${basename(target)}.`;
  await removeLeftovers(files, folder, prefix, join);
  counter += 1;
  const temporary = join(folder, `${prefix}${processId()}-${counter}.tmp`);
  let isOver = false;
  const attempt = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      isOver = true;
      throw fileError(op, path, error, " If there was one before, it is unchanged.");
    }
  };

  const file = await attempt(files.open(temporary, "wx", 0o666));
  try {
    try {
      await write(sinkOf(file, attempt));
      await attempt(file.sync());
    } finally {
      // After an error, that is what counts.
      await (isOver ? file.close().catch(() => {}) : attempt(file.close()));
    }
    await attempt(files.rename(temporary, target));
  } catch (error) {
    await files.unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(files, folder);
}

function sinkOf(file: NodeFile, attempt: <T>(call: Promise<T>) => Promise<T>): ByteSink {
  let end = 0;
  const writeAt = async (position: number, bytes: Uint8Array) => {
    for (let done = 0; done < bytes.byteLength; ) {
      const length = Math.min(bytes.byteLength - done, 2 ** 28);
      const { bytesWritten } = await attempt(file.write(bytes, done, length, position + done));
      done += bytesWritten;
    }
  };
  return {
    append: async (bytes) => {
      await writeAt(end, bytes);
      end += bytes.byteLength;
    },
    overwrite: writeAt,
  };
}

/** Makes the rename last. Some systems have no fsync of folders; there it is as good as it gets. */
async function syncFolder(files: NodeFiles, folder: string): Promise<void> {
  try {
    const handle = await files.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    return;
  }
}

/** Removes temporary files of processes that were killed while they wrote the same file. */
async function removeLeftovers(
  files: NodeFiles,
  folder: string,
  prefix: string,
  join: NodePath["join"],
): Promise<void> {
  const names = await files.readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(\d+)-\d+\.tmp$/.exec(name.slice(prefix.length));
    if (match === null || isAlive(Number(match[1]))) continue;
    await files.unlink(join(folder, name)).catch(() => {});
  }
}

interface NodeProcess {
  readonly pid: number;
  kill(pid: number, signal: number): boolean;
}

function thisProcess(): NodeProcess {
  return (globalThis as { process?: NodeProcess }).process!;
}

function processId(): number {
  return thisProcess().pid;
}

function isAlive(pid: number): boolean {
  try {
    thisProcess().kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== "ESRCH";
  }
}
