/** What of Node's `process` is used here. */
export interface NodeProcess {
  readonly arch: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: string): unknown;
}

/** Node's `process`, where there is one. */
export function nodeProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}

/** Node's modules, out of sight of bundlers that build for browsers. */
export function nodeModule<T>(
  name: string,
  host: NodeProcess | undefined = nodeProcess(),
): T | undefined {
  return host?.getBuiltinModule?.(name) as T | undefined;
}
