import { BackendError } from "@gradloom/engine";
import { type NodeProcess, nodeModule, nodeProcess } from "./node.ts";

interface NodeV8 {
  setFlagsFromString(flags: string): void;
}

const flag = "--experimental-wasm-revectorize";

/** The first V8 that pairs fused multiply-adds, in Node 24. */
const firstV8 = 13;

/**
 * Whether V8 is to pair vectors of 128 bits, which WebAssembly has, to ones of 256, which the processor has.
 *
 * @param wanted - Turns V8's flag for it on, or `false`: makes no use of it. Default: use it where Node was started with it.
 * @throws BackendError if it is wanted where it cannot be had.
 */
export function hasWideSimd(
  wanted?: boolean,
  host: NodeProcess | undefined = nodeProcess(),
): boolean {
  const isAble = host?.arch === "x64" && Number.parseInt(host.versions.v8 ?? "", 10) >= firstV8;
  if (wanted && !isAble) {
    const got = host ? `Node ${host.versions.node} on ${host.arch}` : "another host";
    throw new BackendError(
      `WasmBackend: wideSimd must have Node 24 or later on x64, got ${got}. Leave wideSimd out.`,
    );
  }
  if (wanted) nodeModule<NodeV8>("node:v8", host)?.setFlagsFromString(flag);
  return isAble && (wanted ?? host.execArgv.includes(flag));
}
