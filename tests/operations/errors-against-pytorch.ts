import { readdirSync } from "node:fs";
import { join } from "node:path";
import { WasmBackend } from "@gradloom/backend-wasm";
import { engine } from "../../packages/tensor/src/engine.ts";
import { Comparison } from "../parity/compare.ts";
import { type Case, readFixtures } from "../parity/fixture.ts";
import { call } from "../parity/operations.ts";
import { type OperationCase, runCase } from "../parity/run-case.ts";
import { operationNames } from "./families.ts";

/** Whether errors are too large is for the tests of parity to say. */
const anything = { relative: 1, absolute: 1 };

/** Runs the fixtures of all operations on backend wasm, without what only some hosts have: errors are the same on all. */
export function compareWithPyTorch(): Comparison {
  engine().use(new WasmBackend({ relaxedSimd: false }));
  const comparison = new Comparison(
    Object.fromEntries(operationNames.map((name) => [name, anything])),
  );
  const folder = join(import.meta.dirname, "../parity/fixtures");
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  for (const file of files.sort()) {
    const family = file.replace(".json", "");
    for (const c of readFixtures<Case & Partial<OperationCase>>(family)) {
      if (!isOperation(c)) continue;
      try {
        runCase(c, comparison, call);
      } catch {
        // The test of parity fails as well, and says why.
      }
    }
  }
  return comparison;
}

function isOperation(c: Case & Partial<OperationCase>): c is OperationCase {
  return (
    operationNames.includes(c.op) &&
    Array.isArray(c.args) &&
    Array.isArray(c.inputs) &&
    Array.isArray(c.outputs)
  );
}
