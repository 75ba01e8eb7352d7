import type { Module } from "./module.ts";

/** Runs `fn` with modules in evaluation: no dropout, for example. Afterwards each is in the mode that it was in. */
export function evaluating<T>(modules: readonly Module[], fn: () => T): T {
  const modes = modules.map(({ training }) => training);
  for (const module of modules) module.training = false;
  try {
    return fn();
  } finally {
    for (const [i, module] of modules.entries()) module.training = modes[i];
  }
}
