import { ModuleWriter } from "./assembler.ts";
import * as coreSlots from "./core-slots.ts";
import { addDriver } from "./driver.ts";
import type { Features } from "./features.ts";
import { addMatmul } from "./matmul-core.ts";
import { addTeam } from "./team.ts";

/** The most functions that can be in the table. */
const tableSize = 1 << 14;

/** What the core module exports. */
export interface Core {
  readonly table: WebAssembly.Table;
  readonly alone: (plan: number) => void;
  readonly run: (plan: number, threads: number, sleep: number) => number;
}

/**
 * The module that each thread has one instance of: the driver, the matrix product, and the table of
 * functions that they call.
 */
export function writeCore(features: Features): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const shared = features.sharedMemory;
  module.importMemory(shared);
  const stalled = module.importFunction("e", "s", [], []);
  module.table(tableSize, "table");
  const matmul = addMatmul(module, features);
  module.element(
    coreSlots.blocks,
    [matmul.blocks, matmul.panels, matmul.patches].map(({ index }) => index),
  );
  const driver = addDriver(module);
  if (shared) addTeam(module, driver, stalled);
  return module.finish();
}
