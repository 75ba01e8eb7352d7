import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { afterAll } from "vitest";
import { WasmBackend } from "../src/wasm-backend.ts";

/**
 * The oracle, and the backend on one and on two threads, and with wide tiles, until the tests of this `describe` have run.
 * For those, tests replace `wide-simd.ts` by `unpaired.ts`.
 */
export function backends(): {
  oracle: JsBackend;
  one: WasmBackend;
  two: WasmBackend;
  wide: WasmBackend;
} {
  const one = new WasmBackend({ threads: 1 });
  const two = new WasmBackend({ threads: 2 });
  const wide = new WasmBackend({ threads: 1, wideSimd: true });
  afterAll(() => {
    for (const backend of [one, two, wide]) backend.dispose();
  });
  return { oracle: new JsBackend(checkProgram), one, two, wide };
}
