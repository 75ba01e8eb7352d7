import { StateError } from "@gradloom/tensor";

/** What is used of an open file of Node. */
export interface NodeFile {
  appendFile(data: string | Uint8Array): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** What is used of `node:fs/promises`. */
export interface NodeFiles {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  open(path: string, flags: string): Promise<NodeFile>;
  rename(from: string, to: string): Promise<void>;
}

/** What is used of `node:path`. */
export interface NodePath {
  join(...parts: string[]): string;
  dirname(path: string): string;
}

/** What is used of `process`. */
export interface NodeProcess {
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: TextStream;
  getBuiltinModule?(name: string): unknown;
}

/** Where text goes: a terminal, a file, a pipe. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The process, where there is one. */
export function nodeProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}

/**
 * A module of Node, without an import that a bundler for browsers would stumble over.
 *
 * @throws StateError where there is none.
 */
export function nodeModule<T>(op: string, name: string): T {
  const found = nodeProcess()?.getBuiltinModule?.(name);
  if (found !== undefined) return found as T;
  throw new StateError(`${op}: files must be reached through Node, got another host.`, { op });
}

/** The files of Node. */
export function nodeFiles(op: string): NodeFiles {
  return nodeModule(op, "node:fs/promises");
}

/** The paths of Node. */
export function nodePath(op: string): NodePath {
  return nodeModule(op, "node:path");
}
