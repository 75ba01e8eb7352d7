import { DataError } from "./data-error.ts";

interface NodeFiles {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  readdir(path: string, options: { withFileTypes: true }): Promise<DirectoryEntry[]>;
}

interface DirectoryEntry {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
}

interface NodeStreams {
  createReadStream(path: string): AsyncIterable<Uint8Array>;
}

/** A module of Node, without an import that a bundler for browsers would stumble over. */
function nodeModule<T>(op: string, name: string): T {
  const host = globalThis as {
    process?: { getBuiltinModule?: (name: string) => T | undefined };
  };
  const found = host.process?.getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new DataError(
    `${op}: files must be reached through Node, got another host. Use the function of the same format for bytes or text.`,
    { op },
  );
}

const rules: Readonly<Record<string, string>> = {
  ENOENT: "exist",
  EISDIR: "be a file",
  ENOTDIR: "be a folder",
  EACCES: "be accessible",
};

async function attempt<T>(op: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fileError(op, path, error);
  }
}

function fileError(op: string, path: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause;
  const { code } = cause as { code?: unknown };
  const rule = typeof code === "string" ? (rules[code] ?? "be readable") : "be readable";
  const got = cause instanceof Error ? cause.message : String(cause);
  return new DataError(`${op}: ${path} must ${rule}, got ${got}.`, { op, path, cause });
}

/** All bytes of a file. @throws DataError which file, and why not. */
export function readBytes(op: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const files = nodeModule<NodeFiles>(op, "node:fs/promises");
  return attempt(op, path, () => files.readFile(path));
}

/** Writes a file. @throws DataError which file, and why not. */
export function writeBytes(op: string, path: string, bytes: Uint8Array): Promise<void> {
  const files = nodeModule<NodeFiles>(op, "node:fs/promises");
  return attempt(op, path, () => files.writeFile(path, bytes));
}

/** What is in a folder, in the order of names. @throws DataError which folder, and why not. */
export async function listFolder(op: string, path: string): Promise<readonly DirectoryEntry[]> {
  const files = nodeModule<NodeFiles>(op, "node:fs/promises");
  const entries = await attempt(op, path, () => files.readdir(path, { withFileTypes: true }));
  // By code units: the same on every machine, whatever its language.
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The bytes of a file, piece by piece. @throws DataError which file, and why not. */
export async function* streamBytes(op: string, path: string): AsyncGenerator<Uint8Array> {
  const { createReadStream } = nodeModule<NodeStreams>(op, "node:fs");
  try {
    yield* createReadStream(path);
  } catch (error) {
    throw fileError(op, path, error);
  }
}

/** What is being read, for messages. */
export interface Context {
  readonly op: string;
  readonly path?: string | undefined;
}

/** `<operation>: <what> must <rule>, got <values>.`, and which file and line it is. */
export function malformed({ op, path }: Context, text: string, line?: number): DataError {
  const at = line === undefined ? "" : ` Line ${line}`;
  const where =
    path === undefined ? at && `${at}.` : at ? `${at} of ${path}.` : ` The file is ${path}.`;
  return new DataError(`${op}: ${text}.${where}`, {
    op,
    ...(path !== undefined && { path }),
    ...(line !== undefined && { line }),
  });
}
