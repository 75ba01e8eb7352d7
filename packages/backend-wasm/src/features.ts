import { ModuleWriter } from "./assembler.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as i32 from "./opcodes/i32.ts";
import { hasWideSimd } from "./wide-simd.ts";

/** What the host's WebAssembly can do, and whether the memory that kernels import is shared. */
export interface Features {
  /** Fused multiply-add of vectors: one rounding instead of two, twice the speed. */
  readonly relaxedSimd: boolean;
  /** V8 pairs vectors of 128 bits to ones of 256 in products. */
  readonly wideSimd: boolean;
  /** Threads can share the memory. */
  readonly sharedMemory: boolean;
}

/** Whether the host runs 128-bit SIMD: without it there is no use for this backend. */
export function hasSimd(): boolean {
  const module = new ModuleWriter();
  module.function([], ["v128"]).f32x4(0);
  return validates(module);
}

/**
 * Finds out by asking the host to validate small modules.
 *
 * @throws BackendError if wide vectors are wanted where they cannot be had.
 */
export function detectFeatures(wideSimd?: boolean): Features {
  const relaxed = new ModuleWriter();
  relaxed.function([], ["v128"]).f32x4(0).f32x4(0).f32x4(0).op(f32x4.relaxed_madd);
  const atomic = new ModuleWriter();
  atomic.importMemory(true);
  atomic.function([], ["i32"]).i32(0).load(i32.atomic_load);
  return {
    relaxedSimd: validates(relaxed),
    wideSimd: hasWideSimd(wideSimd),
    // Pages that are not cross-origin isolated lack the constructor, or get memory that cannot be sent.
    sharedMemory:
      typeof SharedArrayBuffer === "function" &&
      (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false &&
      validates(atomic),
  };
}

function validates(module: ModuleWriter): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(module.finish());
}
