import { checkProgram, JsBackend } from "@gradloom/backend-js";
import { afterAll } from "vitest";
import { WasmBackend } from "../src/wasm-backend.ts";

/** The oracle, and the backend on one and on two threads, until the tests of this `describe` have run. */
export function backends(): { oracle: JsBackend; one: WasmBackend; two: WasmBackend } {
  const one = new WasmBackend({ threads: 1 });
  const two = new WasmBackend({ threads: 2 });
  afterAll(() => {
    one.dispose();
    two.dispose();
  });
  return { oracle: new JsBackend(checkProgram), one, two };
}

/** One with wide tiles, for tests that replace `wide-simd.ts` by `unpaired.ts`. */
export function withWideTiles(): WasmBackend {
  const wide = new WasmBackend({ threads: 1, wideSimd: true });
  afterAll(() => wide.dispose());
  return wide;
}
