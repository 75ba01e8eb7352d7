import type { Module } from "@gradloom/layers";

/** Runs `fn` without dropout; afterwards each module is in the mode that it was in. */
export async function evaluating<T>(model: Module, fn: () => Promise<T>): Promise<T> {
  const modes = model.modules().map((module) => ({ module, training: module.training }));
  model.eval();
  try {
    return await fn();
  } finally {
    for (const { module, training } of modes) module.training = training;
  }
}
