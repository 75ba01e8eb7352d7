import { BackendError } from "@gradloom/engine";
import { type NodeProcess, nodeModule, nodeProcess } from "./node.ts";

interface NodeV8 {
  setFlagsFromString(flags: string): void;
}

/** The first V8 that pairs fused multiply-adds, in Node 24. */
const firstV8 = 13;

/**
 * Whether V8 is to pair vectors of 128 bits, which WebAssembly has, to ones of 256, which the processor has.
 *
 * @throws BackendError if that is wanted where it cannot be had.
 */
export function hasWideSimd(
  wanted: boolean | undefined,
  host: NodeProcess | undefined = nodeProcess(),
): boolean {
  if (!wanted) return false;
  if (host?.arch === "x64" && Number.parseInt(host.versions.v8 ?? "", 10) >= firstV8) return true;
  const got = host ? `Node ${host.versions.node} on ${host.arch}` : "another host";
  throw new BackendError(
    `WasmBackend: wideSimd must have Node 24 or later on x64, got ${got}. Leave wideSimd out.`,
  );
}

/**
 * Compiles something with V8's experiment on, which has V8 pair vectors where it finds two stores side by side. It crashes on some code, so it
 * is not for all of a program: V8 optimises what is compiled here at once, and gets its flags back.
 */
export function pairVectors<T>(compile: () => T, host: NodeProcess | undefined = nodeProcess()): T {
  const set = (...flags: string[]): void => {
    for (const flag of flags) nodeModule<NodeV8>("node:v8", host)?.setFlagsFromString(`--${flag}`);
  };
  set("experimental-wasm-revectorize", "no-liftoff", "no-wasm-lazy-compilation");
  try {
    return compile();
  } finally {
    set("no-experimental-wasm-revectorize", "liftoff", "wasm-lazy-compilation");
  }
}
