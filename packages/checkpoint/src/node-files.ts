import { CheckpointError } from "./checkpoint-error.ts";

/** What is used of an open file of Node. */
export interface NodeFile {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is used of `node:fs/promises`. */
export interface NodeFiles {
  open(path: string, flags: string, mode?: number): Promise<NodeFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  realpath(path: string): Promise<string>;
}

/** A module of Node, without an import that a bundler for browsers would stumble over. */
export function nodeModule<T>(name: string): T | undefined {
  const host = globalThis as {
    process?: { getBuiltinModule?: (name: string) => T | undefined };
  };
  return host.process?.getBuiltinModule?.(name);
}

/** @throws CheckpointError where there are no files. */
export function nodeFiles(op: string): NodeFiles {
  const files = nodeModule<NodeFiles>("node:fs/promises");
  if (files !== undefined) return files;
  throw new CheckpointError(
    `${op}: files must be reached through Node, got another host. Use the function of the same format for bytes.`,
    { op },
  );
}

/** The error for a call of the system that failed, with its code and what that means. */
export function fileError(op: string, path: string, error: unknown, wayOut = ""): CheckpointError {
  const code = (error as { code?: unknown } | null)?.code;
  const rule = typeof code === "string" ? (rules[code] ?? "be accessible") : "be accessible";
  const message = error instanceof Error ? error.message : String(error);
  return new CheckpointError(`${op}: the file ${path} must ${rule}, got ${message}.${wayOut}`, {
    op,
    path,
    cause: error,
  });
}

const rules: Readonly<Record<string, string>> = {
  ENOENT: "exist, and its folder",
  EISDIR: "be a file",
  ENOTDIR: "be in a folder",
  ENOSPC: "fit on the disk",
  EDQUOT: "fit into the quota",
  EFBIG: "be no larger than the system allows",
  EROFS: "be in a folder that can be written to",
  EACCES: "be permitted to be opened",
  EPERM: "be permitted to be opened",
};
