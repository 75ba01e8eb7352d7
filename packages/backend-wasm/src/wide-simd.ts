import { BackendError } from "@gradloom/engine";
import { type NodeProcess, nodeModule, nodeProcess } from "./node.ts";

interface NodeV8 {
  setFlagsFromString(flags: string): void;
}

/** The first V8 that pairs fused multiply-adds, in Node 24. */
const firstV8 = 13;
/** The first V8 whose optimised code goes back to code that is not, in Node 25: there must be some of it then. */
const firstWithDeopt = 14;

function versionOf(host: NodeProcess | undefined): number {
  return Number.parseInt(host?.versions.v8 ?? "", 10);
}

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
  if (host?.arch === "x64" && versionOf(host) >= firstV8) return true;
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
  const set = (pairs: string, others: string): void => {
    const deopt = versionOf(host) >= firstWithDeopt ? ` --${others}wasm-deopt` : "";
    nodeModule<NodeV8>("node:v8", host)?.setFlagsFromString(
      `--${pairs}experimental-wasm-revectorize --${others}liftoff --${others}wasm-lazy-compilation${deopt}`,
    );
  };
  set("", "no-");
  try {
    return compile();
  } finally {
    set("no-", "");
  }
}
