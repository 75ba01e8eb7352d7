import { defaultClientConditions, defaultServerConditions } from "vite";
import type { ViteUserConfig } from "vitest/config";

/** The condition in each package's `exports` that leads to its sources: tests need no build. */
const source = "gradloom:source";

/** The configuration of one package's tests: Node, from sources, with `gc()` for tests of memory. */
export function project(name: string): ViteUserConfig {
  return {
    resolve: { conditions: [source, ...defaultClientConditions] },
    ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
    test: {
      name,
      environment: "node",
      include: ["**/*.test.ts"],
      exclude: ["**/node_modules/**", "**/dist/**"],
      execArgv: ["--expose-gc"],
      // Speed is measured in bench/; a busy machine must not fail a test.
      testTimeout: 120_000,
      passWithNoTests: true,
    },
  };
}
