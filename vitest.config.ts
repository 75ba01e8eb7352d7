import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: { projects: ["packages/*", "apps/*", "tests"], passWithNoTests: true },
};

export default config;
